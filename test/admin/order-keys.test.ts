import { chown, copyFile, cp, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { generateKey } from 'openpgp';
import { fingerprintOf } from '../../src/crypto/openpgp.ts';
import { verifyOrder } from '../../src/crypto/order-signatures.ts';
import { type OrderTrust, takeOrderKey, takeRevocations } from '../../src/crypto/order-trust.ts';
import { loadOrderKeys, loadRevocations } from '../../src/settings/order-key-files.ts';
import { readOrderKeyStatement } from '../../src/wire/v2/order-key.ts';
import { readRevocations } from '../../src/wire/v2/revocations.ts';
import { gpgHome, hasGpg } from '../support/gpg.ts';
import { whenPresent } from '../support/needs.ts';
import { type OrdersSite, ordersSite } from './orders-site.ts';

const keysOf = (site: OrdersSite) => join(site.folder, 'keys');
const load = (site: OrdersSite) => loadOrderKeys({ keys: keysOf(site) }, new Date());
const bytes = (document: object) => new TextEncoder().encode(JSON.stringify(document));

/** Takes what the store tells hosts, as a host does that has pinned the first key. @throws where it would refuse */
async function follow(site: OrdersSite, changes: Partial<OrderTrust> = {}): Promise<OrderTrust> {
  const { first } = await load(site);
  let trust: OrderTrust = { order: first, authorization: 'server', operators: [], revocations: null, ...changes };
  for (const { document } of await site.db.orders.statements('order-key', 0)) {
    const read = readOrderKeyStatement(bytes(document));
    if (!read.ok) throw new Error(read.reason);
    const taken = await takeOrderKey(trust, read.value, new Date());
    if (!taken.ok) throw new Error(taken.reason);
    trust = taken.trust;
  }
  const list = (await site.db.orders.statements('revocations', 0)).at(-1);
  if (list === undefined) return trust;
  const read = readRevocations(bytes(list.document));
  if (!read.ok) throw new Error(read.reason);
  const taken = await takeRevocations(trust, read.value, new Date());
  if (!taken.ok) throw new Error(taken.reason);
  return taken.trust;
}

const signsNow = async (t: ExecutionContext, site: OrdersSite) => {
  await site.ok('command', 'id', '--host', 'lap-17');
  const made = (await site.orders()).at(-1);
  const signers = await verifyOrder(
    made?.order.manifest ?? '',
    made?.order.signatures ?? [],
    await follow(site),
    new Date(),
  );
  t.true(signers.server, signers.faults.join());
};

test('a rotation replaces the order key; hosts follow from the first, and the old secret is gone', async (t) => {
  const site = await ordersSite(t);
  const before = await load(site);
  t.regex(
    await site.refused(t, 'keys', 'rotate', 'orders'),
    /cannot ask "Replace the order key on the word of the server alone/,
  );
  t.like(await site.json('keys', 'rotate', 'orders', '--yes'), {
    number: 1,
    replaced: { number: 0, fingerprint: before.present.fingerprint },
    removed: [join(keysOf(site), 'order.asc')],
    finished: false,
  });
  const after = await load(site);
  t.is(after.present.number, 1);
  t.deepEqual(after.first, before.first, 'new hosts pin the first one, too');
  t.is((await stat(join(keysOf(site), 'order-1.asc'))).mode & 0o777, 0o600);
  t.is((await follow(site)).order.fingerprint, after.present.fingerprint);
  await signsNow(t, site);
  await site.ok('keys', 'rotate', 'orders', '--yes');
  t.is((await follow(site)).order.number, 2);
  await signsNow(t, site);
  const { keys } = (await site.json('keys', 'list')) as {
    keys: { kind: string; number: number; state: string; file?: string }[];
  };
  t.deepEqual(
    keys.filter(({ kind }) => kind === 'order').map(({ number, state, file }) => [number, state, file !== undefined]),
    [
      [2, 'present', true],
      [1, 'ended', false],
      [0, 'ended', false],
    ],
  );
  await site.ok('setup', '--yes', '--dir', site.folder);
  t.is((await load(site)).present.number, 2, 'setup makes none anew');
  await site.ok('enrollment', 'token');
});

test('a rotation that was cut off at any step is completed, or made, by the next; hosts follow all the way', async (t) => {
  const site = await ordersSite(t);
  await site.ok('keys', 'revoke', 'operator', 'A'.repeat(40), '--why', 'left', '--yes');
  const old = await readFile(join(keysOf(site), 'order.asc'));
  // the new key is there, nobody vouches for it
  await copyFile(join(keysOf(site), 'order.asc'), `${site.folder}/order.old`);
  const other = await generateKey({ type: 'ecc', curve: 'ed25519Legacy', userIDs: [{ name: 'new' }] });
  await writeFile(join(keysOf(site), 'order-1.asc'), other.privateKey, { mode: 0o600 });
  await signsNow(t, site);
  t.like(await site.json('keys', 'rotate', 'orders', '--yes'), {
    number: 1,
    fingerprint: await fingerprintOf(other.publicKey),
    finished: false,
  });
  // the statements are written; the old key is there, and the store of the last backup knows of nothing
  await writeFile(join(keysOf(site), 'order.asc'), old, { mode: 0o600 });
  const again = await site.json('keys', 'rotate', 'orders', '--yes');
  t.like(again, { number: 1, finished: true, removed: [join(keysOf(site), 'order.asc')] });
  t.is((await load(site)).present.number, 1);
  t.is((await follow(site)).revocations?.revoked.length, 1);
  await signsNow(t, site);
});

test('--resign signs with the new key what is under way, but nothing that the old one never signed', async (t) => {
  const site = await ordersSite(t);
  await site.ok('command', 'id', '--host', 'lap-17');
  await site.ok('command', 'id', '--host', 'lap-18');
  const [open, done] = await site.orders();
  if (open === undefined || done === undefined) throw new Error('there are two orders');
  await site.reports('lap-18', { order: done.order.id, state: 'done', exit_status: 0 });
  const forged = { ...open.order, id: open.order.id.replace(/^.{8}/, 'ffffffff'), manifest: '{}' };
  await site.db.orders.insert(forged, open.targets);
  t.like(await site.json('keys', 'rotate', 'orders', '--yes', '--resign'), { number: 1, resigned: [open.order.id] });
  const { order: again } = (await site.db.orders.find(open.order.id).then((order) => ({ order }))) ?? {};
  const signers = await verifyOrder(again?.manifest ?? '', again?.signatures ?? [], await follow(site), new Date());
  t.true(signers.server);
  t.is((await site.db.orders.find(forged.id))?.signatures.length, 1);
  t.like(await site.json('orders', 'verify', open.order.id), {
    signatures: [{ whose: 'order key 0' }, { whose: 'order key 1' }],
  });
});

test('a list of revocations by a key that nobody vouches for yet is told to no host', async (t) => {
  const site = await ordersSite(t);
  await site.ok('keys', 'revoke', 'operator', 'A'.repeat(40), '--why', 'left', '--yes');
  const statements = join(keysOf(site), 'order-keys.json');
  const secret = await readFile(join(keysOf(site), 'order.asc'));
  const backup = join(dirname(site.folder), 'backup.gz');
  await site.ok('backup', backup);
  await site.ok('keys', 'rotate', 'orders', '--yes');
  // as it was when the power went between the list and the statements
  await rm(statements);
  await writeFile(join(keysOf(site), 'order.asc'), secret, { mode: 0o600 });
  await site.ok('restore', '--yes', backup);
  t.is((await follow(site)).revocations?.number, 1);
  await signsNow(t, site);
  await site.ok('keys', 'revoke', 'operator', 'B'.repeat(40), '--why', 'left', '--yes');
  t.is((await follow(site)).revocations?.number, 3);
  await site.ok('keys', 'rotate', 'orders', '--yes');
  const trust = await follow(site);
  t.deepEqual([trust.order.number, trust.revocations?.number, trust.revocations?.revoked.length], [1, 4, 2]);
});

test('the list of revocations grows by number, is outside the store, and does not go back with a restore', async (t) => {
  const site = await ordersSite(t);
  const backup = join(dirname(site.folder), 'backup.gz');
  await site.ok('backup', backup);
  await site.ok('keys', 'rotate', 'orders', '--yes');
  const { first } = await load(site);
  t.like(
    await site.json(
      'keys',
      'revoke',
      'order',
      first.fingerprint.replace(/(.{4})/g, '$1 '),
      '--why',
      'tape lost',
      '--yes',
    ),
    {
      kind: 'order',
      fingerprint: first.fingerprint,
      number: 1,
    },
  );
  await site.ok('keys', 'revoke', 'operator', 'b'.repeat(40), '--why', 'ben left', '--yes');
  await site.ok('restore', '--yes', backup);
  const trust = await follow(site);
  t.is(trust.order.number, 1);
  t.deepEqual(
    trust.revocations?.revoked.map(({ kind, fingerprint, why }) => [kind, fingerprint, why]),
    [
      ['order', first.fingerprint, 'tape lost'],
      ['operator', 'B'.repeat(40), 'ben left'],
    ],
  );
  const listed = await site.ok('keys', 'list');
  t.regex(listed, new RegExp(`order +0 +${first.fingerprint} .* revoked`));
  t.regex(listed, /revoked, by list 2:\n[\s\S]*operator +B{40} .*ben left/);
  // the file of an older backup: the store knows more
  await rm(join(keysOf(site), 'revocations.json'));
  await site.ok('keys', 'revoke', 'operator', 'C'.repeat(40), '--why', 'cy left', '--yes');
  t.is((await follow(site)).revocations?.revoked.length, 3);
});

/** Whom a backup is encrypted to, what opens it, and its own file. */
async function whereBackupsGo(site: OrdersSite) {
  const userIDs = [{ name: 'op' }];
  const { privateKey, publicKey } = await generateKey({ type: 'ecc', curve: 'curve25519Legacy', userIDs });
  const [to, key] = [await site.file('op.asc', publicKey), await site.file('op-secret.asc', privateKey, 0o600)];
  return { to, key, backup: join(dirname(site.folder), 'whole.gpg') };
}

test('keys put back by force out of an older backup do not take back what was revoked or replaced since', async (t) => {
  const site = await ordersSite(t);
  const { to, key, backup } = await whereBackupsGo(site);
  await site.ok('keys', 'revoke', 'operator', 'A'.repeat(40), '--why', 'left', '--yes');
  await site.ok('backup', '--with-keys', '--to', to, backup);
  await site.ok('keys', 'rotate', 'orders', '--yes');
  await site.ok('keys', 'revoke', 'operator', 'B'.repeat(40), '--why', 'left', '--yes');
  await site.ok('restore', '--yes', '--with-keys', '--force', '--key', key, backup);
  const trust = await follow(site);
  t.deepEqual([trust.order.number, trust.revocations?.revoked.length], [1, 2]);
  await signsNow(t, site);
});

test('nor do they where the settings put back by force name other folders, and another store', async (t) => {
  const site = await ordersSite(t);
  const { to, key, backup } = await whereBackupsGo(site);
  const before = await readFile(site.config, 'utf8');
  const elsewhere = join(dirname(site.folder), 'elsewhere');
  const [keys, file] = [join(elsewhere, 'keys'), join(elsewhere, 'store/penguindome.db')];
  const state = join(elsewhere, 'state');
  await cp(keysOf(site), keys, { recursive: true });
  await cp(join(site.folder, 'state'), state, { recursive: true });
  await site.ok('store', 'copy', '--from', 'settings', '--to', `embedded:${file}`);
  const settings = before
    .replace('\nkeys: keys\n', `\nkeys: ${keys}\n`)
    .replace('\nstate: state\n', `\nstate: ${state}\n`)
    .replace('file: store/penguindome.db', `file: ${file}`);
  await writeFile(site.config, settings);
  await site.ok('backup', '--with-keys', '--to', to, backup);
  await rm(elsewhere, { recursive: true });
  await writeFile(site.config, before);
  await site.ok('keys', 'rotate', 'orders', '--yes');
  await site.ok('keys', 'revoke', 'operator', 'B'.repeat(40), '--why', 'left', '--yes');
  const stolen = (await site.db.hosts.find('desk-1'))?.identity?.keys[0]?.id ?? t.fail();
  await site.ok('enrollment', 'revoke', '--yes', '--', stolen);
  await writeFile(join(site.folder, 'state/release-number'), '7\n');

  await site.ok('restore', '--yes', '--with-keys', '--force', '--key', key, backup);
  t.is(await readFile(site.config, 'utf8'), settings);
  await rename(keysOf(site), join(site.folder, 'keys-before'));
  await rename(join(site.folder, 'store'), join(site.folder, 'store-before'));
  t.is((await loadOrderKeys({ keys }, new Date())).present.number, 1);
  t.is((await loadRevocations({ keys }))?.statement.number, 1);
  await site.ok('command', 'id', '--host', 'lap-17');
  await site.refused(t, 'command', 'id', '--host', 'desk-1');
  t.regex(await site.ok('hosts', 'show', 'desk-1'), /revoked/);
  t.is(await readFile(join(state, 'release-number'), 'utf8'), '7\n');
});

test('a key that is no key of that kind, unknown, in use, or revoked before, is not revoked', async (t) => {
  const site = await ordersSite(t);
  const revoke = (...args: string[]) => site.refused(t, 'keys', 'revoke', ...args, '--why', 'so', '--yes');
  const { present } = await load(site);
  t.regex(await revoke('order', present.fingerprint), /it signs now; first replace it: penguindome keys rotate orders/);
  t.regex(await revoke('order', 'D'.repeat(40)), /this server never had it/);
  t.regex(await revoke('operator', 'ann@example.org'), /expected 40 hex digits/);
  t.regex(await revoke('operator', 'D'.repeat(39)), /expected 40 hex digits/);
  const { keys } = (await site.json('keys', 'list')) as { keys: { kind: string; fingerprint: string }[] };
  const answer = keys.find(({ kind }) => kind === 'answer')?.fingerprint ?? '';
  t.regex(
    await site.refused(t, 'keys', 'revoke', 'answer', '--why', 'so', '--yes', '--', answer),
    /it signs now; first replace it: penguindome keys rotate server/,
  );
  t.regex(await revoke('answer', 'x'.repeat(43)), /this server never had it/);
  t.regex(await revoke('host', 'x'.repeat(43)), /no host has it/);
  t.regex(await revoke('disk', 'x'), /choices are order, operator, host, answer/);
  t.regex(
    await site.refused(t, 'keys', 'revoke', 'operator', 'D'.repeat(40), '--yes'),
    /required option '--why <text>'/,
  );
  t.regex(await site.refused(t, 'keys', 'revoke', 'operator', 'D'.repeat(40), '--why', 'so'), /cannot ask .*--yes/);
  t.is(await follow(site).then(({ revocations }) => revocations), null);
  await site.ok('keys', 'revoke', 'operator', 'D'.repeat(40), '--why', 'so', '--yes');
  t.regex(await revoke('operator', 'D'.repeat(40)), /it is revoked already, since 2/);
});

test("a host's key that is revoked is refused here too, and a replaced answer key stands in the list", async (t) => {
  const site = await ordersSite(t);
  const host = await site.db.hosts.find('lap-17');
  const key = host?.identity?.keys[0]?.id ?? '';
  await site.ok('keys', 'revoke', 'host', '--why', 'stolen', '--yes', '--', key);
  t.not((await site.db.hosts.find('lap-17'))?.identity?.keys[0]?.revoked_at, undefined);
  t.like((await follow(site)).revocations?.revoked, [{ kind: 'host', fingerprint: key }]);
  const { fingerprint } = ((await site.json('keys', 'list')) as { keys: [{ fingerprint: string }] }).keys[0];
  await site.ok('keys', 'rotate', 'server', '--overlap', '0s');
  await site.ok('keys', 'revoke', 'answer', '--why', 'stolen', '--yes', '--', fingerprint);
  t.is((await follow(site)).revocations?.number, 2);
});

test("a host's key that stands in the list, but was not refused here when that was cut off, is by the next try", async (t) => {
  const site = await ordersSite(t);
  const key = (await site.db.hosts.find('lap-17'))?.identity?.keys[0]?.id ?? '';
  const identities = join(site.folder, 'state/identities.log');
  const aside = await readFile(identities).catch(() => undefined);
  await rm(identities, { force: true });
  await mkdir(identities);
  const revoke = () => site.run('keys', 'revoke', 'host', '--why', 'stolen', '--yes', '--', key);
  t.not((await revoke()).status, 0);
  await rm(identities, { recursive: true });
  if (aside !== undefined) await writeFile(identities, aside);
  const { status, err } = await revoke();
  t.is(status, 0, err);
  t.not((await site.db.hosts.find('lap-17'))?.identity?.keys[0]?.revoked_at, undefined);
  t.regex((await revoke()).err, /it is revoked already/);
  t.is((await follow(site)).revocations?.number, 1);
});

test('keys out of an older backup sign nothing that hosts would refuse', async (t) => {
  const site = await ordersSite(t);
  const old = await readFile(join(keysOf(site), 'order.asc'));
  await site.ok('keys', 'rotate', 'orders', '--yes');
  await rm(join(keysOf(site), 'order-keys.json'));
  const order = () => site.refused(t, 'command', 'id', '--host', 'lap-17');
  t.regex(await order(), /hosts know order key 1 already/);
  await writeFile(join(keysOf(site), 'order.asc'), old, { mode: 0o600 });
  t.regex(await order(), /hosts know order key 1 already/);
  await writeFile(join(keysOf(site), 'order-keys.json'), '{"statements": [{}]}');
  t.regex(await order(), /cannot use .*order-keys\.json: .*restore it from a backup/);
  t.deepEqual(await site.orders(), []);
});

test('a revoked order key that came back signs nothing, and is not what a rotation begins with', async (t) => {
  const site = await ordersSite(t);
  const { fingerprint } = (await load(site)).first;
  const old = await readFile(join(keysOf(site), 'order.asc'));
  await site.ok('keys', 'rotate', 'orders', '--yes');
  await site.ok('keys', 'revoke', 'order', fingerprint, '--why', 'tape lost', '--yes');
  await rm(join(keysOf(site), 'order-keys.json'));
  await writeFile(join(keysOf(site), 'order.asc'), old, { mode: 0o600 });
  for (const verb of [
    ['command', 'id', '--host', 'lap-17'],
    ['keys', 'rotate', 'orders', '--yes'],
  ]) {
    t.regex(await site.refused(t, ...verb), /the order key [0-9A-F]{40} is revoked, .* put the newer keys back/);
  }
  t.deepEqual(await site.orders(), []);
});

test('what somebody else wrote into the store stops no order, and a rotation keeps the old key where hosts could not follow', async (t) => {
  const site = await ordersSite(t);
  await site.db.orders.putStatement({ kind: 'order-key', number: 1, document: { statement: 'forged' } });
  await site.db.orders.putStatement({ kind: 'revocations', number: 5, document: { statement: 'forged' } });
  await site.ok('command', 'id', '--host', 'lap-17');
  t.like(await site.json('keys', 'revoke', 'operator', 'D'.repeat(40), '--why', 'so', '--yes'), { number: 6 });
  t.regex(await site.refused(t, 'keys', 'rotate', 'orders', '--yes'), /the store holds order keys above number 0/);
  t.true((await stat(join(keysOf(site), 'order.asc'))).isFile());
});

test('a number that somebody wrote into the store does not make the next list of revocations the last one', async (t) => {
  const site = await ordersSite(t);
  const number = Number.MAX_SAFE_INTEGER - 1;
  await site.db.orders.putStatement({ kind: 'revocations', number, document: { statement: 'forged' } });
  const revoke = () => site.refused(t, 'keys', 'revoke', 'operator', 'D'.repeat(40), '--why', 'so', '--yes');
  t.regex(await revoke(), /the store holds a list number 9007199254740990, which this server never made/);
  await t.throwsAsync(stat(join(keysOf(site), 'revocations.json')), { code: 'ENOENT' });
  await site.ok('command', 'id', '--host', 'lap-17');
});

whenPresent(process.getuid?.() === 0, "keys of a server that is another user's: root")(
  'the secret order key is of who gives orders, not of the server, and what the server put in its place is not used',
  async (t) => {
    const site = await ordersSite(t);
    const SERVER = 65534;
    for (const name of await readdir(keysOf(site))) {
      if (name !== 'order.asc') await chown(join(keysOf(site), name), SERVER, SERVER);
    }
    await chown(keysOf(site), SERVER, SERVER);
    const planted = await generateKey({ type: 'ecc', curve: 'ed25519Legacy', userIDs: [{ name: 'mine' }] });
    await writeFile(join(keysOf(site), 'order-1.asc'), planted.privateKey, { mode: 0o600 });
    await chown(join(keysOf(site), 'order-1.asc'), SERVER, SERVER);
    const { fingerprint } = (await site.json('keys', 'rotate', 'orders', '--yes')) as { fingerprint: string };
    t.not(fingerprint, await fingerprintOf(planted.publicKey));
    t.is((await stat(join(keysOf(site), 'order-1.asc'))).uid, 0);
    t.is((await stat(join(keysOf(site), 'order-keys.json'))).uid, SERVER);
    await writeFile(join(keysOf(site), 'mine.asc'), planted.privateKey, { mode: 0o600 });
    await chown(join(keysOf(site), 'mine.asc'), SERVER, SERVER);
    await symlink('mine.asc', join(keysOf(site), 'order-2.asc'));
    const second = (await site.json('keys', 'rotate', 'orders', '--yes')) as { fingerprint: string };
    t.not(second.fingerprint, await fingerprintOf(planted.publicKey));
    const to = await site.file('op.asc', planted.publicKey);
    const backup = join(dirname(site.folder), 'whole.gpg');
    const { privateKey, publicKey } = await generateKey({
      type: 'ecc',
      curve: 'curve25519Legacy',
      userIDs: [{ name: 'op' }],
    });
    await writeFile(to, publicKey);
    await site.ok('backup', '--with-keys', '--to', to, backup);
    await rm(join(keysOf(site), 'order-2.asc'));
    await site.ok(
      'restore',
      '--yes',
      '--with-keys',
      '--key',
      await site.file('op-secret.asc', privateKey, 0o600),
      backup,
    );
    t.is((await stat(join(keysOf(site), 'order-2.asc'))).uid, 0);
    await signsNow(t, site);
  },
);

whenPresent(hasGpg, 'signing with GnuPG: gpg (Debian package gnupg)')(
  'hosts that demand an operator follow rotations and revocations that one signed, and no others',
  async (t) => {
    const gpg = await gpgHome(t);
    await gpg(['--quick-generate-key', 'Ann <ann@example.org>', 'ed25519', 'sign', 'never']);
    const operators = [await gpg(['--armor', '--export', 'ann@example.org'])];
    const demanding = { authorization: 'operator' as const, operators };
    const before = process.env['GNUPGHOME'];
    process.env['GNUPGHOME'] = gpg.home;
    t.teardown(() => {
      if (before === undefined) delete process.env['GNUPGHOME'];
      else process.env['GNUPGHOME'] = before;
    });
    const site = await ordersSite(t);
    const ann = ['--sign-with', 'ann@example.org'];
    await site.ok('keys', 'revoke', 'operator', 'A'.repeat(40), '--why', 'left', '--yes', ...ann);
    await site.ok('keys', 'rotate', 'orders', ...ann);
    const trust = await follow(site, demanding);
    t.deepEqual([trust.order.number, trust.revocations?.number], [1, 2]);
    const own = await fingerprintOf(operators[0] ?? '');
    t.regex(
      await site.refused(t, 'keys', 'revoke', 'operator', own, '--why', 'so', '--yes', ...ann),
      /on its own word: sign with another key/,
    );
    await site.ok('keys', 'revoke', 'operator', 'B'.repeat(40), '--why', 'left', '--yes');
    await t.throwsAsync(follow(site, demanding), { message: /an operator's signature is missing/ });
    await site.ok('keys', 'revoke', 'operator', 'C'.repeat(40), '--why', 'left', '--yes', ...ann);
    t.is((await follow(site, demanding)).revocations?.revoked.length, 3);
  },
);
