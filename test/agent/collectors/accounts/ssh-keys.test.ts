import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { accounts } from '../../../../src/agent/collectors/accounts/index.ts';
import { keyProtection } from '../../../../src/agent/collectors/accounts/ssh-keys.ts';
import { whenPresent } from '../../../support/needs.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { hostInFolder, memory, plant } from '../host-in-folder.ts';

const run = promisify(execFile);
const real = whenPresent(existsSync('/usr/bin/ssh-keygen'), 'ssh-keygen (openssh-client)');

/** A machine with one person, whose folder for ssh is the second. */
async function machine(t: ExecutionContext): Promise<[folder: string, ssh: string]> {
  const folder = await scratchFolder(t);
  await plant(folder, { '/etc/passwd': 'root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n' });
  const ssh = join(folder, 'home/alice/.ssh');
  await mkdir(ssh, { recursive: true });
  return [folder, ssh];
}

const asked = (...enabled: string[]) => memory({ enabled });
const asRoot = (t: ExecutionContext, folder: string) => ({ ...hostInFolder(t, folder), isRoot: true });

real(
  "keys that OpenSSH makes are told apart, in each of its formats, and none of their files' names is told",
  async (t) => {
    const [folder, ssh] = await machine(t);
    const kinds = [
      ['plain', '-t', 'ed25519', '-N', ''],
      ['locked', '-t', 'ed25519', '-N', 'correct horse'],
      ['pem', '-t', 'ecdsa', '-m', 'PEM', '-N', ''],
      ['pem-locked', '-t', 'ecdsa', '-m', 'PEM', '-N', 'correct horse'],
      ['pkcs8', '-t', 'rsa', '-b', '2048', '-m', 'PKCS8', '-N', ''],
      ['pkcs8-locked', '-t', 'rsa', '-b', '2048', '-m', 'PKCS8', '-N', 'correct horse'],
    ];
    for (const [name = '', ...args] of kinds) await run('ssh-keygen', ['-q', '-f', join(ssh, `my-${name}`), ...args]);
    if (process.getuid?.() === 0) await run('chown', ['-R', '1000', ssh]);
    await writeFile(join(ssh, 'config'), 'Host *\n');
    await writeFile(join(ssh, 'known_hosts'), Buffer.alloc(1000, 0xff));
    const answer = await accounts.collect(asRoot(t, folder), asked('accounts.ssh_keys'));
    t.like(answer, { ssh_keys: [{ user: 'alice', keys: 6, unprotected: 3 }] });
    t.false(JSON.stringify(answer).includes('my-'));
  },
);

test('home directories are not looked into unless the settings ask, and then by root', async (t) => {
  const [folder, ssh] = await machine(t);
  await writeFile(join(ssh, 'authorized_keys'), 'ssh-ed25519 AAAA a\n');
  const unasked = await accounts.collect(asRoot(t, folder), memory());
  t.deepEqual(
    Object.keys(Object(unasked)).filter((key) => key.endsWith('_keys')),
    [],
  );
  t.like(
    await accounts.collect(
      { ...hostInFolder(t, folder), isRoot: false },
      asked('accounts.ssh_keys', 'accounts.authorized_keys'),
    ),
    { ssh_keys: 'unknown', authorized_keys: 'unknown' },
  );
});

test('keys that let somebody in are counted, comments and empty lines are not', async (t) => {
  const [folder, ssh] = await machine(t);
  await writeFile(join(ssh, 'authorized_keys'), '# work\n\nssh-ed25519 AAAA a\n  from="10.0.0.1" ssh-rsa AAAA b\n');
  await writeFile(join(ssh, 'authorized_keys2'), 'ssh-rsa AAAA c');
  t.like(await accounts.collect(asRoot(t, folder), asked('accounts.authorized_keys')), {
    authorized_keys: [{ user: 'alice', keys: 3 }],
  });
});

test("nothing in somebody's folder but what that person could read is opened", async (t) => {
  const [folder, ssh] = await machine(t);
  for (const name of ['authorized_keys', 'id_rsa']) await writeFile(join(ssh, name), '');
  const host = asRoot(t, folder);
  const read = new Map<string, number | undefined>();
  await accounts.collect(
    {
      ...host,
      readText: (path, options = {}) => {
        if (path.startsWith('/home/')) read.set(path.replace(/^.*\//, ''), options.of);
        return host.readText(path, options);
      },
    },
    asked('accounts.ssh_keys', 'accounts.authorized_keys'),
  );
  t.deepEqual([...read.keys()].sort(), ['authorized_keys', 'authorized_keys2', 'id_rsa']);
  t.deepEqual(new Set(read.values()), new Set([1000]));
});

test('a folder of too many files is looked at in part', async (t) => {
  const [folder] = await machine(t);
  const host = asRoot(t, folder);
  const most: (number | undefined)[] = [];
  await accounts.collect(
    {
      ...host,
      list: (path, options = {}) => {
        if (path.startsWith('/home/')) most.push(options.max);
        return host.list(path, options);
      },
    },
    asked('accounts.ssh_keys'),
  );
  t.deepEqual(most, [1000]);
});

const begin = (label: string, rest: string) => `-----BEGIN ${label}-----\n${rest}`;
/** The head of a key on a token (PROTOCOL.u2f): its type stands where the public key starts. */
const token = (() => {
  const word = (text: string) => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]);
  const type = word('sk-ssh-ed25519@openssh.com');
  const head = [
    Buffer.from('openssh-key-v1\0'),
    word('none'),
    word('none'),
    word(''),
    Buffer.from([0, 0, 0, 1, 0, 0, 0, 120]),
  ];
  return begin('OPENSSH PRIVATE KEY', Buffer.concat([...head, type]).toString('base64'));
})();

for (const [title, head, expected] of [
  ['nothing', '', 'no key'],
  ['a public key', 'ssh-ed25519 AAAA a@b', 'no key'],
  ['a certificate', begin('CERTIFICATE', 'MIIB'), 'no key'],
  ['a public key in PEM', begin('PUBLIC KEY', 'MIIB'), 'no key'],
  ['bytes', '\uFFFD\uFFFD\u0000', 'no key'],
  ['a cut header', '-----BEGIN OPENSSH PRIVATE', 'no key'],
  ['a header without a key', begin('OPENSSH PRIVATE KEY', ''), 'no key'],
  ['a key on a token', token.slice(0, 112), 'hardware'],
  ['PKCS#8', begin('PRIVATE KEY', 'MIIE'), 'none'],
  ['PKCS#8 with a passphrase', begin('ENCRYPTED PRIVATE KEY', 'MIIE'), 'passphrase'],
  ['PEM', begin('RSA PRIVATE KEY', 'MIIE'), 'none'],
  ['PEM with a passphrase', begin('RSA PRIVATE KEY', 'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00'), 'passphrase'],
] as const) {
  test(`${title} is: ${expected}`, (t) => {
    t.is(keyProtection(head), expected);
  });
}
