import test from 'ava';
import { parseAnswers } from '../../../appliance/first-boot/answers.ts';
import { setupArguments } from '../../../appliance/first-boot/setup-arguments.ts';
import { penguindome } from '../../support/penguindome.ts';
import { scratchFolder } from '../../support/scratch.ts';

const LEAST = 'host_name: dome.example.org\nssh_keys: [ssh-ed25519 AAAA]\n';

test('setup takes them, and makes what the URL and the fingerprint are read from', async (t) => {
  const dir = await scratchFolder(t);
  const answers = parseAnswers(`${LEAST}names: [dome]\nport: 9443\n`, 'f');
  const { status, stdout, stderr } = await penguindome([
    '--json',
    'setup',
    '--dir',
    dir,
    ...setupArguments(answers, '/x'),
  ]);
  t.is(status, 0, stderr);
  const said = JSON.parse(stdout);
  t.is(said.public_url, 'https://dome.example.org:9443');
  t.regex(said.ca_sha256, /^([0-9a-f]{2}:?){32}$/i);
});

test("MongoDB's password is a file's name there, never itself", (t) => {
  const text = `${LEAST}store: { mongo: { hosts: ["a:1", "b:1"], replica_set: rs0, user: dome, password: geheim } }\n`;
  const args = setupArguments(parseAnswers(text, 'f'), '/etc/penguindome/mongo-password').join(' ');
  t.regex(args, /--store mongo --mongo-host a:1 --mongo-host b:1 --mongo-replica-set rs0 --mongo-user dome/);
  t.regex(args, /--mongo-password-file \/etc\/penguindome\/mongo-password/);
  t.notRegex(args, /geheim/);
});
