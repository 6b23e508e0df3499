import { createHash, X509Certificate } from 'node:crypto';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { CommanderError } from 'commander';
import { enrollmentList } from '../../src/admin/enrollment-list.ts';
import { enrollmentToken } from '../../src/admin/enrollment-token.ts';
import { days, hours } from '../../src/core/duration.ts';
import { makeAuthority } from '../../src/crypto/certificates.ts';
import { loadSigningKey } from '../../src/crypto/ed25519.ts';
import { fingerprintOf } from '../../src/crypto/openpgp.ts';
import { decodeToken } from '../../src/wire/v2/token.ts';
import { realRandom } from '../support/world.ts';
import { adminSite, NOW, refusal } from './admin-site.ts';

const later = (duration: number) => new Date(NOW.getTime() + duration);

test('the token alone goes to standard output, and carries all that a machine needs to trust the server', async (t) => {
  const site = await adminSite(t);
  const { out, err } = await site.run(enrollmentToken);
  t.regex(out, /^penguindome1:[\w-]+\n$/);
  t.regex(err, /1 machine, until 2026-11-30 12:00Z, each waits for approval/);
  const read = (name: string) => readFile(join(site.folder, name), 'utf8');
  const token = decodeToken(out);
  t.deepEqual(token, {
    secret: token?.secret ?? '',
    url: 'https://dome.example:8443',
    ca: await read('pki/ca.crt'),
    answer_key: loadSigningKey(await read('keys/answer.key')).publicKey,
    order_key: await fingerprintOf(await read('keys/order-public.asc')),
  });
  t.is(Buffer.from(token?.secret ?? '', 'base64url').length, 32);
});

test('only a hash of the secret is stored', async (t) => {
  const site = await adminSite(t);
  const { out } = await site.run(
    enrollmentToken,
    '--approve',
    '--uses',
    '3',
    '--expires',
    '36h',
    '--pattern',
    'lap-*',
    '--note',
    'new',
  );
  const secret = decodeToken(out)?.secret ?? '';
  const [token] = await site.store.tokens.list();
  t.like(token, {
    hash: createHash('sha256').update(secret).digest('hex'),
    created_at: NOW,
    expires_at: later(hours(36)),
    uses: 3,
    used_by: [],
    pattern: 'lap-*',
    approve: true,
    note: 'new',
  });
  t.false(JSON.stringify(token).includes(secret));
  t.false((await site.run(enrollmentList)).out.includes(secret));
});

test('a token in a file is for its owner alone, and no file is overwritten', async (t) => {
  const site = await adminSite(t);
  const file = join(site.folder, 'token');
  const { out, err } = await site.run(enrollmentToken, '--out', file);
  t.is(out, '');
  t.regex(err, /in .*token: 1 machine/);
  t.is((await stat(file)).mode & 0o777, 0o600);
  t.truthy(decodeToken(await readFile(file, 'utf8')));
  t.regex(await refusal(t, site.run(enrollmentToken, '--out', file)), /^cannot write the token to .*EEXIST/);
  t.is((await site.store.tokens.list()).length, 1, 'a token that nobody has is not stored');
});

test('a certificate that vouches for itself is pinned, and one of a public authority is neither', async (t) => {
  const site = await adminSite(t);
  const own = await makeAuthority({ now: NOW, random: realRandom }, 'dome.example');
  await writeFile(join(site.folder, 'pki/server.crt'), own.certificate);
  const pinned = decodeToken((await site.run(enrollmentToken)).out);
  t.is(pinned?.ca, undefined);
  t.is(pinned?.pin, createHash('sha256').update(new X509Certificate(own.certificate).raw).digest('hex'));
});

test('a certificate that the site did not sign is left to the authorities that machines know', async (t) => {
  const site = await adminSite(t);
  const other = await makeAuthority({ now: NOW, random: realRandom }, 'other');
  await writeFile(join(site.folder, 'pki/ca.crt'), other.certificate);
  const token = decodeToken((await site.run(enrollmentToken)).out);
  t.deepEqual([token?.ca, token?.pin], [undefined, undefined]);
});

test('--json tells what was made', async (t) => {
  const site = await adminSite(t);
  t.like(await site.json(enrollmentToken, '--expires', '1d'), {
    uses: 1,
    approve: false,
    expires_at: later(days(1)).toISOString(),
  });
});

test('keys that are missing are named, with what to do', async (t) => {
  const site = await adminSite(t);
  await rm(join(site.folder, 'keys/order-public.asc'));
  t.regex(await refusal(t, site.run(enrollmentToken)), /cannot use .*order-public\.asc: .*ENOENT.*penguindome setup/);
  t.deepEqual(await site.store.tokens.list(), []);
});

for (const args of [
  ['--expires', 'soon'],
  ['--expires', '0d'],
  ['--uses', '0'],
  ['--uses', 'many'],
  ['--pattern', 'lap*; rm'],
  ['--approve', '--pending'],
]) {
  test(`refused: ${args.join(' ')}`, async (t) => {
    const site = await adminSite(t);
    const error = await t.throwsAsync(site.run(enrollmentToken, ...args));
    t.true(error instanceof CommanderError, error?.message);
    t.deepEqual(await site.store.tokens.list(), []);
  });
}

test('the list says in which state each token is', async (t) => {
  const site = await adminSite(t);
  await site.run(enrollmentToken, '--expires', '1h');
  t.regex((await site.run(enrollmentList)).out, /valid +0 of 1 +any/);
  site.clock.set(later(hours(1)));
  t.regex((await site.run(enrollmentList)).out, /expired/);
  const said = await site.json(enrollmentList);
  t.like(said, { enrollments: [], tokens: [{ state: 'expired' }] });
  t.false(JSON.stringify(said).includes('"hash"'));
});
