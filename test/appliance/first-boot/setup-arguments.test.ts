import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { stringify } from 'yaml';
import { parseAnswers } from '../../../appliance/first-boot/answers.ts';
import { setupArguments } from '../../../appliance/first-boot/setup-arguments.ts';
import { systemRandom } from '../../../src/bin/world.ts';
import { makeAuthority } from '../../../src/crypto/certificates.ts';
import { loadServerSettings } from '../../../src/settings/load-server-settings.ts';
import { penguindome } from '../../support/penguindome.ts';
import { scratchFolder } from '../../support/scratch.ts';

const FILES = { password: '/etc/penguindome/mongo-password', ca: '/etc/penguindome/mongo-ca.crt' };
const LEAST = 'host_name: dome.example.org\nssh_keys: [ssh-ed25519 AAAA]\n';

test('setup takes them, and makes what the URL and the fingerprint are read from', async (t) => {
  const dir = await scratchFolder(t);
  const answers = parseAnswers(`${LEAST}names: [dome]\nport: 9443\n`, 'f');
  const { status, stdout, stderr } = await penguindome([
    '--json',
    'setup',
    '--dir',
    dir,
    ...setupArguments(answers, FILES),
  ]);
  t.is(status, 0, stderr);
  const said = JSON.parse(stdout);
  t.is(said.public_url, 'https://dome.example.org:9443');
  t.regex(said.ca_sha256, /^([0-9a-f]{2}:?){32}$/i);
});

test("MongoDB's password is a file's name there, never itself", (t) => {
  const text = `${LEAST}store: { mongo: { hosts: ["a:1", "b:1"], replica_set: rs0, user: dome, password: geheim } }\n`;
  const args = setupArguments(parseAnswers(text, 'f'), FILES).join(' ');
  t.regex(args, /--store mongo --mongo-host a:1 --mongo-host b:1 --mongo-replica-set rs0 --mongo-user dome/);
  t.regex(args, /--mongo-password-file \/etc\/penguindome\/mongo-password/);
  t.notRegex(args, /geheim/);
});

test("MongoDB's CA is a file's name there, and setup takes both", async (t) => {
  const folder = await scratchFolder(t);
  const files = { password: '/x', ca: join(folder, 'ca.crt') };
  const { certificate } = await makeAuthority({ now: new Date(), random: systemRandom }, 'a database');
  await writeFile(files.ca, certificate);
  const given = (mongo: Record<string, unknown>) =>
    setupArguments(
      parseAnswers(`${LEAST}${stringify({ store: { mongo: { hosts: ['127.0.0.1:1'], ...mongo } } })}`, 'f'),
      files,
    );
  t.false(given({}).join(' ').includes('--mongo-tls'));
  t.regex(given({ tls: true }).join(' '), /--mongo-tls$/);
  const { status, stderr } = await penguindome(['setup', '--dir', join(folder, 'site'), ...given({ ca: certificate })]);
  t.is(status, 75, stderr);
  t.like((await loadServerSettings(join(folder, 'site/server.yml'))).store, { kind: 'mongo', tls: true, ca: files.ca });
});
