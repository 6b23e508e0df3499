import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { identityOf } from '../../src/core/enrollment.ts';
import { loadSigningKey } from '../../src/crypto/ed25519.ts';
import { newMachine, readJson } from './support/machine.ts';
import { startSite } from './support/site.ts';

test('a token file enrols the host, and is gone afterwards', async (t) => {
  const site = await startSite(t);
  const machine = await newMachine(t);
  const file = join(machine.state, '..', 'token');
  await writeFile(file, await site.token());
  const said = await machine.run('--json', 'enroll', '--token-file', file);
  t.is(said.status, 0, said.err);
  const { status, host_id, key_id } = said.json();
  t.is(status, 'approved');
  await t.throwsAsync(stat(file), { code: 'ENOENT' });
  t.is((await readJson(machine.places.trust))['host_id'], host_id);
  t.is(String(key_id), loadSigningKey(await readFile(machine.places.identity, 'utf8')).id);
  t.is((await stat(machine.places.identity)).mode & 0o777, 0o600);
  t.regex(await readFile(machine.places.settings, 'utf8'), new RegExp(`^url: ${site.url}$`, 'm'));
  const host = await site.store.hosts.find('testhost');
  t.is(String(host_id), String(host?.identity?.host_id));
});

test('nothing that enrolment leaves behind holds the secret', async (t) => {
  const site = await startSite(t);
  const machine = await newMachine(t);
  const token = await site.token();
  await machine.feed(token, 'enroll');
  const { secret } = JSON.parse(Buffer.from(token.slice('penguindome1:'.length), 'base64url').toString());
  for (const file of [machine.places.trust, machine.places.settings, machine.places.submit.state]) {
    t.false((await readFile(file, 'utf8')).includes(secret));
  }
});

test('a lost answer is made good by the same command: same key, same host id, no further use', async (t) => {
  const site = await startSite(t);
  const machine = await newMachine(t);
  const token = await site.token({ uses: 1 });
  site.meddle(async (_, next) => {
    await next();
    return undefined;
  });
  const lost = await machine.feed(token, 'enroll');
  t.is(lost.status, 75);
  const key = await readFile(machine.places.identity, 'utf8');
  site.meddle(undefined);
  const said = await machine.feed(token, '--json', 'enroll');
  t.is(said.status, 0, said.err);
  t.is(await readFile(machine.places.identity, 'utf8'), key);
  t.deepEqual(
    (await site.store.tokens.list()).map(({ used_by }) => used_by.length),
    [1],
  );
  const again = await machine.feed(token, '--json', 'enroll');
  t.deepEqual(again.json(), said.json());
});

test('an answer that another key signed enrols nobody', async (t) => {
  const [site, other] = [await startSite(t), await startSite(t)];
  const machine = await newMachine(t);
  const token = await site.token({ url: other.url });
  const said = await machine.feed(token, 'enroll');
  t.is(said.status, 75);
  t.regex(said.err, /did not sign/);
  await t.throwsAsync(stat(machine.places.trust), { code: 'ENOENT' });
});

test('a pending host is told so, and keeps its reports', async (t) => {
  const site = await startSite(t);
  const machine = await newMachine(t);
  const said = await machine.feed(await site.token({ approve: false }), 'enroll');
  t.is(said.status, 0);
  t.regex(said.out, /PENDING: an operator has to approve it/);
  const status = await machine.run('--json', 'status');
  t.is(status.status, 1);
  t.true(JSON.stringify(status.json()['problems']).includes('enrollment approve'));
  // Nothing to hand over is no word from the server.
  await machine.run('submit');
  t.regex((await machine.run('status')).out, /enrollment approve/);
  await machine.run('collect');
  const submitted = await machine.run('--json', 'submit');
  t.is(submitted.status, 4);
  t.like(submitted.json(), { stored: [], waiting: 1, problem: { code: 'pending' } });
  t.is((await machine.spooled()).length, 1);
  const [enrollment] = await site.store.enrollments.list();
  if (enrollment === undefined) return t.fail('nobody has enrolled');
  t.true(await site.store.hosts.attach('testhost', identityOf(enrollment, new Date()), { adopt: false }));
  t.true(await site.store.enrollments.approve(enrollment.key_id, new Date()));
  t.like((await machine.run('--json', 'submit')).json(), { waiting: 0 });
  t.notRegex((await machine.run('status')).out, /enrollment approve/);
});

test('a token that the server refuses is said to be refused', async (t) => {
  const site = await startSite(t);
  const first = await newMachine(t, { hostname: 'first' });
  const token = await site.token({ uses: 1 });
  await first.feed(token, 'enroll');
  const second = await newMachine(t, { hostname: 'second' });
  const file = join(second.state, '..', 'token');
  await writeFile(file, token);
  const said = await second.run('enroll', '--token-file', file);
  t.is(said.status, 4);
  t.regex(said.err, /ask for a new token/);
  t.is(await readFile(file, 'utf8'), token);
});

test('a token that was cut off on the way is refused before anything is sent', async (t) => {
  const site = await startSite(t);
  const machine = await newMachine(t);
  const said = await machine.feed((await site.token()).slice(0, 60), 'enroll');
  t.is(said.status, 2);
  t.is(site.passed.length, 0);
});

test('a token on the command line is refused, and not repeated in the answer', async (t) => {
  const site = await startSite(t);
  const machine = await newMachine(t);
  const token = await site.token();
  const said = await machine.run('enroll', token);
  t.is(said.status, 2);
  t.false(said.err.includes(token));
  t.is(site.passed.length, 0);
});

test('a token of another server is not enough to leave the first one', async (t) => {
  const [site, other] = [await startSite(t), await startSite(t)];
  const machine = await newMachine(t);
  await machine.feed(await site.token(), 'enroll');
  const refused = await machine.feed(await other.token(), 'enroll');
  t.is(refused.status, 1);
  t.regex(refused.err, /--new-server/);
  t.is((await readJson(machine.places.trust))['url'], site.url);
  const left = await machine.feed(await other.token(), 'enroll', '--new-server');
  t.is(left.status, 0, left.err);
  t.is((await readJson(machine.places.trust))['url'], other.url);
});

test('settings that are there keep their comments when the URL is written into them', async (t) => {
  const site = await startSite(t);
  const machine = await newMachine(t);
  await machine.settings('');
  await writeFile(machine.places.settings, '# ours\ncollect_interval: 1h # slow\nurl: https://old:1\n');
  await machine.feed(await site.token(), 'enroll');
  t.is(await readFile(machine.places.settings, 'utf8'), `# ours\ncollect_interval: 1h # slow\nurl: ${site.url}\n`);
});

test('a pinned certificate is enough, and another one is not', async (t) => {
  const site = await startSite(t);
  const pinned = await newMachine(t);
  t.is((await pinned.feed(await site.token({ trust: { pin: site.pin } }), 'enroll')).status, 0);
  const wrong = await newMachine(t, { hostname: 'wrong' });
  const before = site.passed.length;
  const said = await wrong.feed(await site.token({ trust: { pin: '0'.repeat(64) } }), 'enroll');
  t.is(said.status, 1);
  t.regex(said.err, /its certificate has SHA-256/);
  t.is(site.passed.length, before);
});
