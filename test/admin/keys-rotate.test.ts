import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { CommanderError } from 'commander';
import { enrollmentToken } from '../../src/admin/enrollment-token.ts';
import { readKeyFiles, writeKeyFiles } from '../../src/admin/key-files.ts';
import { keysList } from '../../src/admin/keys-list.ts';
import { keysRotate } from '../../src/admin/keys-rotate.ts';
import { days, hours } from '../../src/core/duration.ts';
import { followRotations, newestOf } from '../../src/crypto/answer-keys.ts';
import { generateSigningKey, keyIdOf, loadSigningKey } from '../../src/crypto/ed25519.ts';
import { loadAnswerKeys, readRotations } from '../../src/settings/answer-key-files.ts';
import type { KeyFile } from '../../src/store/backup/format.ts';
import { decodeToken } from '../../src/wire/v2/token.ts';
import { penguindome, succeed } from '../support/penguindome.ts';
import { scratchFolder } from '../support/scratch.ts';
import { rounds } from '../support/soak.ts';
import { type AdminSite, adminSite, NOW, refusal } from './admin-site.ts';

const later = (duration: number) => new Date(NOW.getTime() + duration);
const keysOf = (site: AdminSite) => join(site.folder, 'keys');
const load = (site: AdminSite) => loadAnswerKeys({ keys: keysOf(site) });

test('a rotation makes a new key, vouched for by the old one, which counts until the overlap ends', async (t) => {
  const site = await adminSite(t);
  const before = await load(site);
  const { out, err } = await site.run(keysRotate, 'server');
  const after = await load(site);
  t.is(after.newest.number, 1);
  t.deepEqual(
    after.older.map(({ number, key, until }) => [number, key.id, until]),
    [[0, before.newest.key.id, later(days(7))]],
  );
  t.regex(out, new RegExp(`answer key 1 is made: ${after.newest.key.id}`));
  t.regex(err, /systemctl reload penguindome-server/);
  const followed = followRotations(
    { first: { number: 0, key: before.newest.key.publicKey }, rotations: [] },
    await readRotations(keysOf(site)),
  );
  t.deepEqual(followed.ok && newestOf(followed.ring), { number: 1, key: after.newest.key.publicKey });
  t.is((await stat(join(keysOf(site), 'answer-1.key'))).mode & 0o777, 0o600);
});

test('tokens carry the present key and its number', async (t) => {
  const site = await adminSite(t);
  await site.run(keysRotate, 'server');
  await site.run(keysRotate, 'server', '--overlap', '1d');
  const token = decodeToken((await site.run(enrollmentToken)).out);
  t.is(token?.answer_number, 2);
  t.is(token?.answer_key, (await load(site)).newest.key.publicKey);
});

test('the list tells number, fingerprint, since when and until when', async (t) => {
  const site = await adminSite(t);
  const { newest } = await load(site);
  t.like(await site.json(keysList), {
    keys: [{ kind: 'answer', number: 0, fingerprint: newest.key.id, state: 'present' }, { kind: 'order' }],
  });
  await site.run(keysRotate, 'server', '--overlap', '2h');
  const [now, old] = [(await load(site)).newest.key.id, newest.key.id];
  t.like(await site.json(keysList), {
    keys: [
      { number: 1, fingerprint: now, since: NOW.toISOString(), state: 'present' },
      { number: 0, fingerprint: old, until: later(hours(2)).toISOString(), state: 'overlap' },
      { kind: 'order', since: NOW.toISOString() },
    ],
  });
  site.clock.set(later(hours(2)));
  const { out, err } = await site.run(keysList);
  t.regex(out, new RegExp(`answer +0 +${old} +- +2026-11-23 14:00Z +ended`));
  t.regex(err, /answer\.key is of no use any more/);
});

test('the next rotation removes the secret keys whose time is over, and setup does not make them again', async (t) => {
  const site = await adminSite(t);
  await site.run(keysRotate, 'server', '--overlap', '1h');
  site.clock.set(later(hours(1)));
  t.like(await site.json(keysRotate, 'server'), { number: 2, removed: [join(keysOf(site), 'answer.key')] });
  const { newest, older } = await load(site);
  t.is(newest.number, 2);
  t.deepEqual(
    older.map(({ number }) => number),
    [1],
  );
});

test('an overlap that is no duration, or too long, is wrong usage', async (t) => {
  const site = await adminSite(t);
  for (const overlap of ['soon', '91d', '-1d']) {
    await t.throwsAsync(site.run(keysRotate, 'server', `--overlap=${overlap}`), { instanceOf: CommanderError });
  }
  await t.throwsAsync(site.run(keysRotate, 'order'), { instanceOf: CommanderError });
  t.is((await load(site)).newest.number, 0);
});

test('a key file that is missing, of another key, or open to others, and a damaged list stop the server and say which', async (t) => {
  const site = await adminSite(t);
  await site.run(keysRotate, 'server');
  const file = join(keysOf(site), 'answer-1.key');
  const good = await readFile(file);
  await rm(file);
  t.regex(await refusal(t, load(site)), /cannot find answer-1\.key: .*rotations\.json says that agents know that key/);
  await writeFile(file, generateSigningKey(), { mode: 0o600 });
  t.regex(await refusal(t, load(site)), /answer-1\.key: it is not answer key number 1 of .*rotations\.json/);
  await writeFile(file, good);
  await chmod(file, 0o644);
  t.regex(await refusal(t, load(site)), /answer-1\.key: others may read it/);
  await chmod(file, 0o600);
  const list = join(keysOf(site), 'rotations.json');
  const text = await readFile(list, 'utf8');
  await writeFile(list, text.replace('"number": 1', '"number": 2'));
  t.regex(await refusal(t, load(site)), /cannot use .*rotations\.json: .*; restore it from a backup/);
  await writeFile(list, text.slice(0, 100));
  t.regex(await refusal(t, load(site)), /cannot use .*rotations\.json: the chain is no JSON/);
});

test('two copies of one server that both rotate fork: whoever followed one does not follow the other', async (t) => {
  const site = await adminSite(t);
  const first = { number: 0, key: (await load(site)).newest.key.publicKey };
  const copy = join(await scratchFolder(t), 'keys');
  await cp(keysOf(site), copy, { recursive: true });
  await site.run(keysRotate, 'server');
  const one = followRotations({ first, rotations: [] }, await readRotations(keysOf(site)));
  await rm(keysOf(site), { recursive: true });
  await cp(copy, keysOf(site), { recursive: true });
  if (!one.ok) return t.fail(one.reason);
  t.deepEqual(followRotations(one.ring, await readRotations(keysOf(site))), {
    ok: false,
    reason: 'the chain goes back: it ends at number 0, after number 1',
  });
  await site.run(keysRotate, 'server');
  t.deepEqual(followRotations(one.ring, await readRotations(keysOf(site))), {
    ok: false,
    reason: 'the chain forks: there are two statements with number 1',
  });
});

test('a backup of the keys holds the rotations and every secret key; an older one put back beside them changes nothing', async (t) => {
  const site = await adminSite(t);
  await writeFile(join(site.folder, 'server.yml'), '');
  const folders = {
    pki: join(site.folder, 'pki'),
    keys: keysOf(site),
    accounts: join(site.folder, 'accounts.yml'),
    state: join(site.folder, 'state'),
  };
  const take = () => readKeyFiles(join(site.folder, 'server.yml'), folders);
  const put = (files: KeyFile[], folder: string) => {
    const there = {
      pki: join(folder, 'pki'),
      keys: join(folder, 'keys'),
      accounts: join(folder, 'accounts.yml'),
      state: join(folder, 'state'),
      store: { kind: 'embedded', file: join(folder, 'store/penguindome.db') },
    } as const;
    const places = new Map(
      files.filter(({ file }) => file.startsWith('keys/')).map((file) => [join(folder, file.file), file] as const),
    );
    return writeKeyFiles(places, there);
  };
  const early = await take();
  await site.run(keysRotate, 'server');
  const { newest } = await load(site);
  const elsewhere = await scratchFolder(t);
  await put(await take(), elsewhere);
  const restored = await loadAnswerKeys({ keys: join(elsewhere, 'keys') });
  t.deepEqual([restored.newest.number, restored.newest.key.id], [1, newest.key.id]);
  t.is(restored.older.length, 1);
  await put(early, site.folder);
  t.is((await load(site)).newest.key.id, newest.key.id);
});

test('a rotation that is killed anywhere leaves the old key or the new one working, and the next one goes through', async (t) => {
  const dir = join(await scratchFolder(t), 'site');
  await succeed(['setup', '--yes', '--dir', dir, '--public-url', 'https://127.0.0.1:8443', '--port', '8443']);
  const keys = join(dir, 'keys');
  const args = ['--config', join(dir, 'server.yml'), 'keys', 'rotate', 'server', '--overlap', '0s'];
  const first = { number: 0, key: (await loadAnswerKeys({ keys })).newest.key.publicKey };
  let before = 0;
  const outcomes = { killed: 0, done: 0 };
  // The moment is found by looking at the folder: as the new key's file appears, the list is about to be written.
  for (let round = 0; round < rounds(6, 100); round++) {
    const child = spawn(process.execPath, ['build/penguindome', ...args], { stdio: 'ignore' });
    const ended = once(child, 'exit');
    const wanted = ['.answer-', 'answer-', '.rotations', 'rotations.json'][round % 4] ?? '';
    const had = new Set(await readdir(keys));
    while (
      child.exitCode === null &&
      !(await readdir(keys)).some((name) => name.startsWith(wanted) && !had.has(name))
    ) {
      if (wanted === 'rotations.json' && had.has(wanted)) break;
      await sleep(0);
    }
    child.kill('SIGKILL');
    await ended;
    outcomes[child.signalCode === 'SIGKILL' ? 'killed' : 'done']++;
    const { newest } = await loadAnswerKeys({ keys });
    t.true(newest.number === before || newest.number === before + 1);
    const followed = followRotations({ first, rotations: [] }, await readRotations(keys));
    t.is(followed.ok && keyIdOf(newestOf(followed.ring).key), newest.key.id);
    before = newest.number;
  }
  t.log(`${outcomes.killed} killed, ${outcomes.done} done before that, ${before} rotations`);
  t.true(outcomes.killed > 0);
  const { status, stderr } = await penguindome(args);
  t.is(status, 0, stderr);
  t.is((await loadAnswerKeys({ keys })).newest.number, before + 1);
  t.deepEqual(
    (await readdir(keys)).filter((name) => name.startsWith('.')),
    [],
  );
  await succeed(['setup', '--yes', '--dir', dir]);
  t.is(loadSigningKey(await readFile(join(keys, `answer-${before + 1}.key`), 'utf8')).id.length, 43);
});
