import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { verifyOrder } from '../../src/crypto/order-signatures.ts';
import { loadOrderKeys } from '../../src/settings/order-key-files.ts';
import { type Gpg, gpgHome, hasGpg } from '../support/gpg.ts';
import { whenPresent } from '../support/needs.ts';
import { scratchFolder } from '../support/scratch.ts';
import { type OrdersSite, ordersSite } from './orders-site.ts';

const withGpg = whenPresent(hasGpg, 'signing with GnuPG: gpg (Debian package gnupg)');

/** A keyring with these keys, which is the operator's own while the test runs. */
async function keyring(t: ExecutionContext, ...keys: [userId: string, algorithm: string][]): Promise<Gpg> {
  const gpg = await gpgHome(t);
  for (const [userId, algorithm] of keys) await gpg(['--quick-generate-key', userId, algorithm, 'sign', 'never']);
  const before = process.env['GNUPGHOME'];
  process.env['GNUPGHOME'] = gpg.home;
  t.teardown(() => {
    if (before === undefined) delete process.env['GNUPGHOME'];
    else process.env['GNUPGHOME'] = before;
  });
  return gpg;
}

const fingerprintOf = async (gpg: Gpg, userId: string) =>
  /^fpr:+([0-9A-F]{40}):/m.exec(await gpg(['--with-colons', '--list-keys', userId]))?.[1] ?? '';

const trustOf = async (site: OrdersSite, operators: string[]) => {
  const { present } = await loadOrderKeys({ keys: join(site.folder, 'keys') }, new Date());
  return { order: present, authorization: 'operator' as const, operators, revocations: null };
};

for (const algorithm of ['ed25519', 'rsa3072']) {
  withGpg(`--sign-with has gpg-agent sign with an operator's ${algorithm} key, beside the server`, async (t) => {
    const gpg = await keyring(t, ['Ann <ann@example.org>', algorithm]);
    const site = await ordersSite(t);
    await site.ok('command', 'id', '--host', 'lap-17', '--sign-with', 'ann@example.org');
    const { order } = await site.only(t);
    t.is(order.signatures.length, 2);
    const trust = await trustOf(site, [await gpg(['--armor', '--export', 'ann@example.org'])]);
    t.deepEqual(await verifyOrder(order.manifest, order.signatures, trust, new Date()), {
      server: true,
      operators: [await fingerprintOf(gpg, 'ann@example.org')],
      faults: [],
    });
    t.like(await site.json('orders', 'verify', order.id), {
      ok: true,
      signatures: [{ whose: 'order key 0' }, { whose: 'Ann <ann@example.org>' }],
    });
  });
}

withGpg('what gpg was told to sign as text, which hosts refuse, is not ordered', async (t) => {
  const gpg = await keyring(t, ['Ann <ann@example.org>', 'ed25519']);
  await writeFile(join(gpg.home, 'gpg.conf'), 'textmode\n');
  const site = await ordersSite(t);
  const refused = await site.refused(t, 'command', 'id', '--host', 'lap-17', '--sign-with', 'ann@example.org');
  t.regex(refused, /cannot use what gpg signed with [0-9A-F]{40}: .*nothing was ordered/);
  t.deepEqual(await site.orders(), []);
});

withGpg('GnuPG verifies what the server signs, and the exact bytes only', async (t) => {
  const gpg = await keyring(t);
  const site = await ordersSite(t);
  await site.ok('wipe', 'lap-17', '--method', 'lock', '--confirm', 'lap-17');
  const { order } = await site.only(t);
  await gpg(['--import', join(site.folder, 'keys/order-public.asc')]);
  const folder = await scratchFolder(t);
  const [manifest, signature] = [join(folder, 'manifest'), join(folder, 'manifest.asc')];
  await writeFile(manifest, order.manifest);
  await writeFile(signature, order.signatures[0] ?? '');
  await t.notThrowsAsync(gpg(['--verify', signature, manifest]));
  await writeFile(manifest, `${order.manifest}\n`);
  await t.throwsAsync(gpg(['--verify', signature, manifest]), { message: /BAD signature/ });
});

withGpg('a second operator approves what is shown, whole, and nobody twice', async (t) => {
  const gpg = await keyring(t, ['Ann <ann@example.org>', 'ed25519'], ['Ben <ben@example.org>', 'ed25519']);
  const site = await ordersSite(t);
  await site.ok(
    'command',
    'echo "the whole of it"',
    '--host',
    'lap-17',
    '--sign-with',
    'ann@example.org',
    '--why',
    'so',
  );
  const { order } = await site.only(t);
  const approve = (...args: string[]) => site.run('orders', 'approve', order.id, ...args);
  const asked = await approve('--sign-with', 'ben@example.org');
  t.is(asked.status, 2);
  t.regex(asked.err, /cannot ask "Sign that with Ben <ben@example\.org> \([0-9A-F]{40}\)\?/);
  t.regex(asked.out, /hosts +lap-17 \([0-9a-f-]{36}\)\n/);
  t.regex(asked.out, /why +so\n/);
  t.regex(asked.out, /signed by +order key 0 .*\nsigned by +Ann/);
  t.regex(asked.out, /--- commands\/shell\n {2}#!\/bin\/sh\n {2}echo "the whole of it"\n/);
  t.is((await site.only(t)).order.signatures.length, 2);
  t.regex(
    (await approve('--yes', '--sign-with', 'ann@example.org')).err,
    /has signed it already; another operator has to/,
  );
  t.like(await site.json('orders', 'approve', order.id, '--yes', '--sign-with', 'ben@example.org'), { signatures: 3 });
  t.regex((await approve('--yes', '--sign-with', 'ben@example.org')).err, /has signed it already/);
  const { order: approved } = await site.only(t);
  const operators = await Promise.all(['ann', 'ben'].map((who) => gpg(['--armor', '--export', `${who}@example.org`])));
  const verdict = await verifyOrder(approved.manifest, approved.signatures, await trustOf(site, operators), new Date());
  t.is(verdict.operators.length, 2);
  await site.ok('orders', 'cancel', order.id, '--yes');
  t.regex((await approve('--yes', '--sign-with', 'ben@example.org')).err, /cannot approve .*: it is cancelled/);
});

withGpg('whoever approves a file sees that the store holds another one', async (t) => {
  await keyring(t, ['Ben <ben@example.org>', 'ed25519']);
  const site = await ordersSite(t);
  await site.ok('command', 'id', '--host', 'lap-17');
  const { order } = await site.only(t);
  const { default: Database } = await import('libsql');
  const database = new Database(join(site.folder, 'store/penguindome.db'));
  t.teardown(() => database.close());
  const refused = async () => {
    const { status, err } = await site.run('orders', 'approve', order.id, '--yes', '--sign-with', 'ben@example.org');
    t.is(status, 1);
    t.regex(err, /commands\/shell in the store is not the file that was signed/);
    const verified = await site.run('orders', 'verify', order.id, '--json');
    t.like(JSON.parse(verified.out), { ok: false, faults: ['commands/shell is not the file that was signed'] });
  };
  const other = Buffer.from('#!/bin/sh\nls\n').toString('base64');
  t.is(database.prepare('UPDATE order_file_pieces SET content = ?').run(other).changes, 1);
  await refused();
  database.prepare('DELETE FROM order_file_pieces').run();
  await refused();
  t.is((await site.only(t)).order.signatures.length, 1);
});

withGpg(
  'a key that is missing, ambiguous, expired, revoked, or without its secret half is refused, and nothing is ordered',
  async (t) => {
    const gpg = await keyring(t, ['Ann <ann@example.org>', 'ed25519'], ['Anna <anna@example.org>', 'ed25519']);
    const site = await ordersSite(t);
    const sign = (key: string) => site.refused(t, 'command', 'id', '--host', 'lap-17', `--sign-with=${key}`);
    t.regex(await sign('nobody@example.org'), /cannot find the secret key nobody@example\.org in the keyring of GnuPG/);
    t.regex(await sign('--version'), /cannot find the secret key --version/);
    t.regex(
      await sign('example.org'),
      /cannot tell which key is meant by example\.org; give its fingerprint:\n {2}[0-9A-F]{40} {2}Ann/,
    );
    const ann = await fingerprintOf(gpg, 'ann@example.org');
    await writeFile(join(gpg.home, 'ann-public.asc'), await gpg(['--armor', '--export', ann]));
    await gpg(['--delete-secret-keys', ann]);
    t.regex(await sign('ann@example.org'), /cannot find the secret key ann@example\.org/);
    const then = ['--faked-system-time', '20200101T000000!'];
    await gpg([...then, '--quick-generate-key', 'Old <old@example.net>', 'ed25519', 'sign', '1d']);
    t.regex(await sign('old@example.net'), /cannot sign with [0-9A-F]{40}: .*; nothing was ordered/);
    const anna = await fingerprintOf(gpg, 'anna@example.org');
    const certificate = await readFile(join(gpg.home, 'openpgp-revocs.d', `${anna}.rev`), 'utf8');
    await gpg(['--import'], certificate.replace(/^:---/m, '---'));
    t.regex(await sign(anna), /cannot sign with [0-9A-F]{40}: .*; nothing was ordered/);
    t.deepEqual(await site.orders(), []);
  },
);

/** A key with a passphrase, and a pinentry that does what the script says. */
async function lockedKey(t: ExecutionContext, pinentry: string): Promise<Gpg> {
  const gpg = await keyring(t);
  const program = join(gpg.home, 'pinentry');
  await writeFile(program, pinentry);
  await chmod(program, 0o755);
  await writeFile(join(gpg.home, 'gpg-agent.conf'), `pinentry-program ${program}\nallow-loopback-pinentry\n`);
  await gpg([
    '--passphrase',
    'correct horse',
    '--quick-generate-key',
    'Ann <ann@example.org>',
    'ed25519',
    'sign',
    'never',
  ]);
  // what was unlocked to make it is not to be remembered
  const { execFileSync } = await import('node:child_process');
  execFileSync('/usr/bin/gpgconf', ['--homedir', gpg.home, '--kill', 'all']);
  return gpg;
}

const pinentryThat = (answer: string) => `#!/bin/sh
echo OK Pleased to meet you
while read -r command rest; do
  case $command in
    GETPIN) ${answer} ;;
    BYE) echo OK; exit 0 ;;
    *) echo OK ;;
  esac
done
`;

withGpg("a passphrase is asked for by the agent's own pinentry, and never passes by us", async (t) => {
  await lockedKey(t, pinentryThat('echo "D correct horse"; echo OK'));
  const site = await ordersSite(t);
  await site.ok('command', 'id', '--host', 'lap-17', '--sign-with', 'ann@example.org');
  t.is((await site.only(t)).order.signatures.length, 2);
});

withGpg(
  'a question that is cancelled, a wrong passphrase, and a removed card are told as such, and nothing is ordered',
  async (t) => {
    const site = await ordersSite(t);
    const sign = () => site.refused(t, 'command', 'id', '--host', 'lap-17', '--sign-with', 'ann@example.org');
    await lockedKey(t, pinentryThat('echo "ERR 83886179 Operation cancelled <Pinentry>"'));
    t.regex(await sign(), /cannot sign with [0-9A-F]{40}: the question for the passphrase or PIN was cancelled/);
    await lockedKey(t, pinentryThat('echo "D wrong"; echo OK'));
    t.regex(await sign(), /cannot sign with [0-9A-F]{40}: the passphrase was wrong/);
    await lockedKey(t, pinentryThat('echo "ERR 100663406 Card removed <SCD>"'));
    t.regex(await sign(), /cannot sign with [0-9A-F]{40}: the smart card was removed/);
    await lockedKey(t, pinentryThat('echo "ERR 83918950 Inappropriate ioctl for device <Pinentry>"'));
    t.regex(await sign(), /nobody could be asked for the passphrase or PIN: .*; try export GPG_TTY=/);
    await lockedKey(t, '#!/bin/sh\nexit 1\n');
    t.regex(await sign(), /cannot sign with [0-9A-F]{40}: .*(pinentry|nobody could be asked)/);
    t.deepEqual(await site.orders(), []);
  },
);

withGpg('without gpg the flag says what to install', async (t) => {
  const site = await ordersSite(t);
  const path = process.env['PATH'];
  const empty = await mkdtemp(join(tmpdir(), 'pd-no-gpg-'));
  process.env['PATH'] = empty;
  try {
    const said = await site.refused(t, 'command', 'id', '--host', 'lap-17', '--sign-with', 'ann@example.org');
    t.regex(said, /cannot find gpg, which --sign-with needs: install GnuPG/);
  } finally {
    process.env['PATH'] = path;
    await rm(empty, { recursive: true });
  }
  t.deepEqual(await site.orders(), []);
});

withGpg('a signing subkey may be named, and signs for its primary key', async (t) => {
  const gpg = await keyring(t);
  await gpg(['--quick-generate-key', 'Ann <ann@example.org>', 'ed25519', 'cert', 'never']);
  const primary = await fingerprintOf(gpg, 'ann@example.org');
  await gpg(['--quick-add-key', primary, 'ed25519', 'sign', 'never']);
  const site = await ordersSite(t);
  await site.ok('command', 'id', '--host', 'lap-17', '--sign-with', 'ann@example.org');
  const listing = await gpg(['--with-colons', '--list-keys', primary]);
  const subkey = [...listing.matchAll(/^fpr:+([0-9A-F]{40}):/gm)][1]?.[1] ?? '';
  await site.ok('command', 'id', '--host', 'lap-17', '--sign-with', `${subkey}!`);
  const trust = await trustOf(site, [await gpg(['--armor', '--export', primary])]);
  for (const { order } of await site.orders()) {
    t.deepEqual((await verifyOrder(order.manifest, order.signatures, trust, new Date())).operators, [primary]);
  }
});
