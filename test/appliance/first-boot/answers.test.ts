import test from 'ava';
import { stringify } from 'yaml';
import { parseAnswers } from '../../../appliance/first-boot/answers.ts';
import { systemRandom } from '../../../src/bin/world.ts';
import { makeAuthority } from '../../../src/crypto/certificates.ts';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL2tFZ5ZkVZ0L0Kf0Q7N1xJ2mYqv3a9b8c7d6e5f4a3b ada@example.org';
const LEAST = `host_name: dome.example.org\nssh_keys: [${KEY}]\n`;

test('a name and a key are enough: the rest has defaults', (t) => {
  t.deepEqual(parseAnswers(LEAST, 'penguindome.yml'), {
    host_name: 'dome.example.org',
    ssh_keys: [KEY],
    names: [],
    addresses: [],
    gateways: [],
    name_servers: [],
    port: 8443,
    store: 'embedded',
  });
});

test('a store in MongoDB takes where it is, and who asks', (t) => {
  const { store } = parseAnswers(`${LEAST}store: { mongo: { hosts: ["db1:27017"], user: dome, password: x } }\n`, 'f');
  t.deepEqual(store, { mongo: { hosts: ['db1:27017'], user: 'dome', password: 'x' } });
});

test('it takes the CA of a MongoDB with TLS as text, and nothing else there', async (t) => {
  const { certificate, key } = await makeAuthority({ now: new Date(), random: systemRandom }, 'a database');
  const given = (mongo: Record<string, unknown>) =>
    `${LEAST}${stringify({ store: { mongo: { hosts: ['db1'], ...mongo } } })}`;
  t.deepEqual(parseAnswers(given({ ca: certificate }), 'f').store, { mongo: { hosts: ['db1'], ca: certificate } });
  for (const ca of ['/etc/ssl/ca.crt', key, `${certificate}${key}`]) {
    const { message } = t.throws(() => parseAnswers(given({ ca }), 'f'));
    t.regex(message, /store.*expected certificates in PEM, and no key beside them/);
    t.false(message.includes(key.slice(100, 160)), 'what is shown on consoles has no key');
  }
  t.throws(() => parseAnswers(given({ ca: certificate, tls: false }), 'f'), {
    message: /store\.mongo\.tls: expected true beside ca/,
  });
});

const refused = test.macro((t, more: string, said: RegExp) => {
  t.throws(() => parseAnswers(more, 'penguindome.yml'), { message: said });
});

test('no key: nobody could log in', refused, 'host_name: dome\n', /ssh_keys: expected/);
test(
  'a name that is none',
  refused,
  LEAST.replace('dome.example.org', '"not a name"'),
  /:1: host_name: expected a host name/,
);
test(
  'a key with options in front',
  refused,
  LEAST.replace('ssh-ed25519', '"command=x ssh-ed25519'),
  /penguindome\.yml/,
);
test(
  'a private key',
  refused,
  'host_name: dome\nssh_keys: ["-----BEGIN OPENSSH PRIVATE KEY-----"]\n',
  /expected an ssh public key/,
);
test('an address without its prefix', refused, `${LEAST}addresses: [192.0.2.10]\n`, /with its prefix/);
test('a prefix that is too long', refused, `${LEAST}addresses: [192.0.2.10/33]\n`, /with its prefix/);
test('fixed addresses without a name server', refused, `${LEAST}addresses: [192.0.2.10/24]\n`, /name_servers/);
test('a gateway without addresses', refused, `${LEAST}gateways: [192.0.2.1]\n`, /gateways/);
test('the port of ssh', refused, `${LEAST}port: 22\n`, /22 is for ssh/);
test(
  'a key that nobody knows names the one that was meant',
  refused,
  `${LEAST}hostname: x\n`,
  /did you mean host_name/,
);
