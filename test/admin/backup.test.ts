import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { lstat, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import ava, { type ExecutionContext } from 'ava';
import { generateKey } from 'openpgp';
import { backup } from '../../src/admin/backup.ts';
import type { AdminContext } from '../../src/admin/context.ts';
import { restore } from '../../src/admin/restore.ts';
import { restoreStore } from '../../src/admin/restore-store.ts';
import { seconds } from '../../src/core/duration.ts';
import { OperatorError } from '../../src/core/errors.ts';
import { readBackup } from '../../src/store/backup/read-backup.ts';
import type { Store, StoredDocument } from '../../src/store/port.ts';
import { anEnrollment, aReport, aToken, enrolledHost } from '../support/documents.ts';
import { scratchFolder } from '../support/scratch.ts';
import { forEachStore } from '../support/stores.ts';
import { realRandom } from '../support/world.ts';
import { type AdminSite, adminSite, NOW, refusal } from './admin-site.ts';

const ago = (ms: number) => new Date(NOW.getTime() - ms);
/** No server runs here that would have to see the mark. */
const restoreAtOnce = (context: AdminContext) => restore(context, 0);

async function everything(store: Store): Promise<StoredDocument[]> {
  const found: StoredDocument[] = [];
  for await (const document of store.upkeep.export()) found.push(document);
  return found;
}

async function someKeys(passphrase?: string) {
  const keys = await generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: [{ name: 'operator' }],
    ...(passphrase !== undefined && { passphrase }),
  });
  return { secret: keys.privateKey, public: keys.publicKey };
}

async function bytesOf(site: AdminSite, ...args: string[]): Promise<Buffer> {
  const file = join(site.folder, `b-${realRandom.uuid()}`);
  await site.run(backup, file, ...args);
  return readFile(file);
}

forEachStore((kind, test) => {
  test(`${kind}: a backup that is restored gives the store as it was`, async (t) => {
    const site = await adminSite(t, kind);
    const host = await enrolledHost(site.store);
    await site.store.hosts.storeReport(aReport(host, { plugins: { $odd: { 'a.b': [NOW, null] } } }));
    await site.store.issues.open(host.hostname, 'disk', NOW);
    const before = await everything(site.store);
    const { epoch } = await site.store.state();
    const file = join(site.folder, 'backup.gz');
    const { out, err } = await site.run(backup, file);
    t.regex(out, /backup\.gz: \d+ documents, \d+ bytes/);
    t.is(/standalone/.test(err), kind === 'mongo standalone');
    t.is((await stat(file)).mode & 0o777, 0o600);

    await site.store.hosts.storeV1({ hostname: 'since', at: NOW, plugins: {}, trail: [] });
    await site.store.issues.close(host.hostname, 'disk', NOW);
    await site.run(restoreAtOnce, '--yes', file);
    t.deepEqual(await everything(site.store), before);
    const state = await site.store.state();
    t.not(state.epoch, epoch, 'a new epoch begins');
    t.is(state.maintenance_since, undefined);
  });

  test(`${kind}: a restore voids tokens, keeps revocations, and lets nobody in who enrolled since`, async (t) => {
    const site = await adminSite(t, kind);
    const [kept, revoked] = [await enrolledHost(site.store), await enrolledHost(site.store)];
    const token = aToken();
    await site.store.tokens.insert(token);
    const waiting = anEnrollment({ hostname: 'waiting' });
    await site.store.enrollments.insert(waiting);
    const file = join(site.folder, 'backup.gz');
    await site.run(backup, file);

    await site.identities.append({ event: 'revoked', key_id: revoked.key_id, at: ago(5000), why: 'stolen' });
    const since = await enrolledHost(site.store, { hostname: 'since' });
    const sequence = since.identity.sequence + 7;
    await site.store.hosts.spend({ key_id: since.key_id, sequence }, new Date());
    await site.store.hosts.spend({ key_id: kept.key_id, sequence: kept.identity.sequence + 9 }, new Date());
    await site.store.hosts.storeV1({ hostname: 'v1-only', at: NOW, plugins: {}, trail: [] });
    const { key_id, host_id, public_key } = anEnrollment();
    await site.identities.append({
      event: 'enrolled',
      key_id,
      host_id,
      public_key,
      hostname: kept.hostname,
      at: ago(4000),
    });
    const gone = anEnrollment();
    await site.identities.append({
      event: 'enrolled',
      key_id: gone.key_id,
      host_id: gone.host_id,
      public_key: gone.public_key,
      hostname: 'gone',
      at: ago(3000),
    });
    await site.identities.append({ event: 'revoked', key_id: gone.key_id, at: ago(2000), why: 'forgotten' });

    const said = Object(await site.json(restoreAtOnce, '--yes', file));
    t.deepEqual(
      said.pending.map(({ hostname }: { hostname: string }) => hostname).sort(),
      ['since', kept.hostname].sort(),
    );
    t.is(said.revoked, 1);
    const { store } = site;
    t.deepEqual((await store.tokens.find(token.hash))?.revoked_at, NOW);
    const ended = await store.hosts.find(revoked.hostname);
    t.deepEqual(ended?.identity?.keys[0]?.revoked_at, ago(5000));
    const { status, revoked_why } = (await store.enrollments.find(revoked.key_id)) ?? t.fail();
    t.deepEqual({ status, revoked_why }, { status: 'revoked', revoked_why: 'stolen' });
    t.deepEqual(await store.enrollments.find(waiting.key_id), waiting);

    t.is(await store.hosts.find('since'), undefined);
    const again = (await store.enrollments.find(since.key_id)) ?? t.fail();
    t.is(again.status, 'pending');
    t.is(again.sequence, sequence, 'no request from before is accepted again');
    t.truthy(again.approved_at);
    t.false(
      await store.hosts.storeV1({ hostname: 'since', at: NOW, plugins: {}, trail: [] }),
      'nor may v1 speak for it',
    );
    t.deepEqual(
      (await store.hosts.spend({ key_id: since.key_id, sequence: sequence + 1 }, new Date())).outcome,
      'pending',
    );
    t.is((await store.hosts.find(kept.hostname))?.identity?.sequence, kept.identity.sequence + 9);
    const fromLog = (await store.enrollments.find(key_id)) ?? t.fail();
    t.is(fromLog.status, 'pending');
    t.is(fromLog.conflict, 'v2');
    t.is((await store.enrollments.find(gone.key_id))?.status, 'revoked');
  });

  test(`${kind}: a restore that is cut off leaves the store as it was, or under maintenance until one is complete`, async (t) => {
    const site = await adminSite(t, kind);
    const host = await enrolledHost(site.store);
    const bytes = await bytesOf(site);
    const deps = { ...site, random: realRandom, signal: new AbortController().signal, pause: 0 };
    const cut = async function* () {
      for await (const entry of readBackup(from(bytes))) {
        yield entry;
        if (entry.kind === 'document') throw new Error('the power went');
      }
    };
    const why = await refusal(t, restoreStore(deps, cut()));
    const { maintenance_since } = await site.store.state();
    if (kind.startsWith('embedded')) {
      t.regex(why, /cannot restore: the power went; the store is as it was/);
      t.is(maintenance_since, undefined);
      t.truthy(await site.store.hosts.find(host.hostname));
    } else {
      t.regex(why, /cannot finish the restore: the power went; the store is under maintenance.*run it again/);
      t.deepEqual(maintenance_since, NOW);
      t.regex(await refusal(t, site.run(backup, join(site.folder, 'half.gz'))), /cannot back up: a restore began/);
    }
    // one that fails before it begins does not lift the mark of one that did not end
    await site.store.upkeep.setMaintenance(ago(1000));
    const stop = AbortSignal.abort(new Error('stopped'));
    await t.throwsAsync(restoreStore({ ...deps, signal: stop }, readBackup(from(bytes))), {
      instanceOf: OperatorError,
    });
    t.truthy((await site.store.state()).maintenance_since);

    await restoreStore(deps, readBackup(from(bytes)));
    t.is((await site.store.state()).maintenance_since, undefined);
    t.truthy(await site.store.hosts.find(host.hostname));
  });

  test(`${kind}: servers see the mark of maintenance before the first document goes`, async (t) => {
    const site = await adminSite(t, kind);
    await site.store.hosts.storeV1({ hostname: 'there', at: NOW, plugins: {}, trail: [] });
    const bytes = await bytesOf(site);
    const deps = { ...site, random: realRandom, signal: new AbortController().signal, pause: seconds(0.5) };
    const restoring = restoreStore(deps, readBackup(from(bytes)));
    while ((await site.store.state()).maintenance_since === undefined) await new Promise(setImmediate);
    const { epoch } = await site.store.state();
    t.truthy(await site.store.hosts.find('there'), 'what the store held is still there');
    await restoring;
    t.not((await site.store.state()).epoch, epoch);
  });
});

async function* from(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function isRefused(t: ExecutionContext, site: AdminSite, bytes: Uint8Array): Promise<string> {
  const file = join(site.folder, 'bad.gz');
  await writeFile(file, bytes);
  const before = [await everything(site.store), await site.store.state()];
  const why = await refusal(t, site.run(restoreAtOnce, '--yes', file));
  t.deepEqual([await everything(site.store), await site.store.state()], before, 'nothing was touched');
  return why;
}

ava('a backup that was cut off anywhere is refused before anything is touched', async (t) => {
  const site = await adminSite(t);
  await enrolledHost(site.store);
  const bytes = await bytesOf(site);
  for (const length of [bytes.length - 1, bytes.length - 9, Math.floor(bytes.length / 2), 12]) {
    t.regex(await isRefused(t, site, bytes.subarray(0, length)), /cut off|altered/, `${length} bytes`);
  }
  const text = gunzipSync(bytes).toString();
  const lines = text.trimEnd().split('\n');
  for (const cut of [
    lines.slice(0, -1),
    lines.slice(0, 1),
    [...lines.slice(0, 1), ...lines.slice(2)],
    [...lines, lines[1]],
  ]) {
    t.regex(await isRefused(t, site, gzipSync(`${cut.join('\n')}\n`)), /cut off|altered|should/);
  }
  t.regex(await isRefused(t, site, gzipSync(text.trimEnd())), /cut off/);
  t.regex(await isRefused(t, site, gzipSync('')), /empty/);
});

ava('a backup that was altered is refused before anything is touched', async (t) => {
  const site = await adminSite(t);
  const { hostname } = await enrolledHost(site.store);
  const bytes = await bytesOf(site);
  const text = gunzipSync(bytes).toString();
  t.regex(await isRefused(t, site, gzipSync(text.replaceAll(hostname, 'evil'))), /altered/);
  t.regex(await isRefused(t, site, gzipSync(text.replace('"collection":"clients"', '"collection":"meta"'))), /should/);
  t.regex(await isRefused(t, site, gzipSync(text.replace('penguindome-backup', 'other'))), /should/);
  t.regex(await isRefused(t, site, gzipSync(text.replace('"version":1', '"version":2'))), /newer penguindome/);
  const broken = Buffer.from(bytes);
  broken[broken.length >> 1] = (broken[broken.length >> 1] ?? 0) ^ 0xff;
  t.regex(await isRefused(t, site, broken), /cut off|altered/);
});

ava('a backup goes to standard output, and comes back from standard input', async (t) => {
  const site = await adminSite(t);
  const host = await enrolledHost(site.store);
  const chunks: Buffer[] = [];
  const { PassThrough } = await import('node:stream');
  const stdout = new PassThrough();
  stdout.on('data', (chunk) => chunks.push(chunk));
  const through = (command: typeof backup, streams: object) => (context: AdminContext) =>
    command({ ...context, ...streams });
  await site.run(through(backup, { stdout }), '-');
  t.false(stdout.writableEnded, 'it is not ours to end');
  await site.store.hosts.forget(host.hostname, NOW);
  const stdin = new PassThrough();
  stdin.end(Buffer.concat(chunks));
  await site.run(through(restoreAtOnce, { stdin }), '--yes', '-');
  t.truthy(await site.store.hosts.find(host.hostname));
});

ava('keys leave the server only encrypted', async (t) => {
  const site = await adminSite(t);
  await writeFile(join(site.folder, 'server.yml'), 'x: y\n');
  const file = join(site.folder, 'b.gz');
  t.regex(await refusal(t, site.run(backup, '--with-keys', file)), /cannot write keys in the clear: say --to KEY/);
  await t.throwsAsync(stat(file));
  t.false(gunzipSync(await bytesOf(site)).includes('PRIVATE KEY'), 'nor are they in a backup without --with-keys');
});

const SETTINGS = `public_url: https://dome.example:8443
ports: [{ port: 8443, tls: { certificate: pki/server.crt, key: pki/server.key } }]
store: { kind: embedded, file: store/penguindome.db }
state: state
pki: pki
keys: keys
accounts: accounts.yml
`;

for (const passphrase of [undefined, 'a secret\u00fc']) {
  ava(`keys come back out of an encrypted backup (passphrase: ${passphrase ?? 'none'})`, async (t) => {
    const site = await adminSite(t);
    const folder = await scratchFolder(t);
    const keys = await someKeys(passphrase);
    const [to, key, pass, file] = ['public.asc', 'secret.asc', 'passphrase', 'b.gpg'].map((name) =>
      join(folder, name),
    ) as [string, string, string, string];
    await writeFile(to, keys.public);
    await writeFile(key, keys.secret);
    await writeFile(pass, `${passphrase ?? ''}\n`);
    await writeFile(join(site.folder, 'server.yml'), SETTINGS);
    await site.run(backup, '--with-keys', '--to', to, file);
    t.false((await readFile(file)).includes('PRIVATE'));
    t.regex(await refusal(t, site.run(restoreAtOnce, '--yes', file)), /encrypted; say --key FILE/);
    const other = join(folder, 'other.asc');
    await writeFile(other, (await someKeys()).secret);
    t.regex(await refusal(t, site.run(restoreAtOnce, '--yes', '--key', other, file)), /cannot decrypt the backup/);

    const answer = join(site.folder, 'keys/answer.key');
    const was = await readFile(answer);
    const args = ['--yes', '--key', key, ...(passphrase === undefined ? [] : ['--passphrase-file', pass])];
    await rm(answer);
    const { err } = await site.run(restoreAtOnce, ...args, file);
    t.regex(err, /key files are left alone; --with-keys puts them back/);
    await t.throwsAsync(stat(answer));

    await site.run(restoreAtOnce, ...args, '--with-keys', file);
    t.deepEqual(await readFile(answer), was);
    t.is((await stat(answer)).mode & 0o777, 0o600);

    await writeFile(answer, 'another key');
    t.regex(
      await refusal(t, site.run(restoreAtOnce, ...args, '--with-keys', file)),
      /other ones are there already.*answer\.key$/s,
    );
    t.is(await readFile(answer, 'utf8'), 'another key');
    await site.run(restoreAtOnce, ...args, '--with-keys', '--force', file);
    t.deepEqual(await readFile(answer), was);
  });
}

ava('a backup that fails leaves no half file, and an older one as it was', async (t) => {
  const site = await adminSite(t);
  const folder = await scratchFolder(t);
  const file = join(folder, 'b.gz');
  await writeFile(file, 'older');
  const failing = (context: AdminContext) =>
    backup({
      ...context,
      store: async () => {
        const store = await context.store();
        return {
          ...store,
          upkeep: {
            ...store.upkeep,
            async *export() {
              yield { collection: 'clients', document: { hostname: 'x' } };
              throw new Error('the disk broke');
            },
          },
        };
      },
    });
  await t.throwsAsync(site.run(failing, file), { message: /the disk broke/ });
  t.deepEqual(await readdir(folder), ['b.gz']);
  t.is(await readFile(file, 'utf8'), 'older');
});

ava('a backup takes the place of a file, of nothing else', async (t) => {
  const site = await adminSite(t);
  const folder = await scratchFolder(t);
  t.regex(await refusal(t, site.run(backup, folder)), /cannot write .*: it is a folder; name a file$/);
  const socket = createServer().listen(join(folder, 'socket'));
  t.teardown(() => socket.close());
  await once(socket, 'listening');
  t.regex(await refusal(t, site.run(backup, join(folder, 'socket'))), /cannot write .*: it is no file; - means/);
  t.true((await stat(join(folder, 'socket'))).isSocket());

  await writeFile(join(folder, 'monday.gz'), 'older');
  await symlink('monday.gz', join(folder, 'latest.gz'));
  await site.run(backup, join(folder, 'latest.gz'));
  t.true((await lstat(join(folder, 'latest.gz'))).isSymbolicLink(), 'a link stays a link');
  t.notThrows(() => gunzipSync(readFileSync(join(folder, 'monday.gz'))));
  t.deepEqual((await readdir(folder)).sort(), ['latest.gz', 'monday.gz', 'socket']);
});

ava('without --yes and a terminal nothing is restored', async (t) => {
  const site = await adminSite(t);
  const bytes = await bytesOf(site);
  const file = join(site.folder, 'b.gz');
  await writeFile(file, bytes);
  t.regex(await refusal(t, site.run(restoreAtOnce, file)), /--yes/);
});
