import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { minutes, seconds } from '../../../src/core/duration.ts';
import { MOST_WAITING } from '../../../src/server/login/hashing.ts';
import { PASSWORD_UPGRADES } from '../../../src/settings/password-upgrades.ts';
import { type HttpAnswer, httpRequest } from '../../support/http.ts';
import { basic, CHEAP, type Counted, countedPasswords, PASSLIB } from '../../support/passwords.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { startTestServer, type TestServer, type TestServerOptions } from '../../support/server.ts';
import { until } from '../../support/server-program.ts';
import { standingClock } from '../../support/world.ts';

const RELEASE = '/penguindome/v1/download_release';
const ACCOUNTS = `users:
  fred: {password: "${CHEAP}"}
  mary: {password: "${CHEAP}"}
`;
const FOR_FRED = { download_release: { users: ['fred'] } };

async function started(
  t: ExecutionContext,
  server_auth: object,
  options: TestServerOptions = {},
): Promise<{ server: TestServer; counted: Counted; ask: Ask }> {
  const counted = countedPasswords();
  const settings = { v1: { enabled: true }, trusted_proxies: ['127.0.0.1'], server_auth, ...options.settings };
  const server = await startTestServer(t, { accounts: ACCOUNTS, passwords: counted.passwords, ...options, settings });
  const ask: Ask = (user, password, headers = {}) =>
    httpRequest(server.url + RELEASE, { headers: { ...basic(user, password), ...headers } });
  return { server, counted, ask };
}

type Ask = (user: string, password: string, headers?: Record<string, string>) => Promise<HttpAnswer>;

const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address });

test('a user that the endpoint names comes in, and no other way does one', async (t) => {
  const { server, ask } = await started(t, FOR_FRED);
  t.is((await ask('fred', 'password')).status, 404, 'there is no release yet');
  t.is((await ask('fred', 'Password')).status, 401);
  t.is((await ask('mary', 'password')).status, 401, 'she may not');
  t.is((await ask('', '')).status, 401);
  const without = await httpRequest(server.url + RELEASE, {});
  t.deepEqual(
    [without.status, without.headers['www-authenticate']],
    [401, 'Basic realm="PenguinDome", charset="UTF-8"'],
  );
  t.is((await ask('fred', 'wrong')).headers['www-authenticate'], 'Basic realm="PenguinDome", charset="UTF-8"');
  for (const authorization of ['Basic fred', 'Bearer abc', `Basic ${'A'.repeat(2043)}`]) {
    const { status } = await httpRequest(server.url + RELEASE, { headers: { authorization } });
    t.is(status, authorization.length > 2048 ? 400 : 401);
  }
});

test('names that somebody has are logged, others are not: they may be passwords', async (t) => {
  const { server, ask } = await started(t, FOR_FRED);
  await ask('fred', 'password', from('198.51.100.1'));
  await ask('mary', 'password', from('198.51.100.2'));
  await ask('hunter2', 'fred', from('198.51.100.3'));
  const facts = { endpoint: 'download_release' };
  t.like(server.events('login.passed'), [{ ...facts, user: 'fred', remote: '198.51.100.1' }]);
  t.like(server.events('login.failed'), [
    { ...facts, user: 'mary', remote: '198.51.100.2' },
    { ...facts, user: undefined, remote: '198.51.100.3' },
  ]);
  const said = JSON.stringify(server.logged);
  for (const secret of ['hunter2', Buffer.from('hunter2:fred').toString('base64')]) {
    t.false(said.includes(secret), secret);
  }
});

test('the same is done for a user that there is not, or that may not, as for one with a wrong password', async (t) => {
  const accounts = `users:
  fred: {password: "${CHEAP}"}
  mary: {password: ${PASSLIB}}
  eve: {password: "${CHEAP}"}
endpoints: {download_release: {passwords: {fred: "${CHEAP}"}}}
`;
  const { counted, ask } = await started(t, { download_release: { users: ['fred', 'mary'] } }, { accounts });
  const work = async (user: string): Promise<[string[], number]> => {
    await ask(user, 'wrong-password');
    // Which hash: the decoy costs what new ones cost.
    const done = counted.done().map((each) => each.split(' ')[0] ?? '');
    const rounds = done.filter((each) => each === 'pbkdf2').length;
    return [done.filter((each) => each === 'argon2id'), rounds];
  };
  for (const user of ['fred', 'mary', 'eve', 'nobody']) {
    const [argon2id, rounds] = await work(user);
    t.is(argon2id.length, 2, user);
    t.is(rounds, 2, user);
  }
});

test('too many failures of an address get 429 until a pause is over, and one line in the log', async (t) => {
  const clock = standingClock(new Date());
  const { server, counted, ask } = await started(t, FOR_FRED, { clock });
  for (let count = 0; count < 10; count++) t.is((await ask(`n${count}`, 'x', from('2001:db8::1'))).status, 401);
  counted.done();
  for (let count = 0; count < 3; count++) {
    const limited = await ask('fred', 'password', from('2001:db8::2'));
    t.deepEqual([limited.status, limited.headers['retry-after']], [429, '1']);
  }
  t.deepEqual(counted.done(), [], 'nothing is hashed');
  t.is(server.events('login.limited').length, 1);
  t.like(server.events('login.limited'), [{ user: 'fred', remote: '2001:db8::2', wait_ms: 1000 }]);
  t.is((await ask('fred', 'password', from('2001:db8:0:1::1'))).status, 404, 'another subscriber');
  clock.set(new Date(clock.now().getTime() + seconds(1)));
  t.is((await ask('fred', 'password', from('2001:db8::2'))).status, 404);
});

test('too many failures for a user get 429 from everywhere, the same for one that there is not', async (t) => {
  const { ask } = await started(t, FOR_FRED);
  for (const user of ['fred', 'nobody']) {
    const statuses: number[] = [];
    for (let count = 0; count < 6; count++) statuses.push((await ask(user, 'x', from(`198.51.100.${count}`))).status);
    t.deepEqual(statuses, [401, 401, 401, 401, 401, 429], user);
  }
});

test('no more passwords are checked at once than there is memory for, and who comes beyond the queue is told to come again', async (t) => {
  const counted = countedPasswords();
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let begun = 0;
  const verifyArgon2id = async (hash: string, password: string): Promise<boolean> => {
    begun++;
    await released;
    return counted.passwords.verifyArgon2id(hash, password);
  };
  const { server, ask } = await started(t, FOR_FRED, { passwords: { ...counted.passwords, verifyArgon2id } });
  const [answered, beyond] = [[] as HttpAnswer[], 5];
  const all = Array.from({ length: 2 + MOST_WAITING + beyond }, async (_, count) => {
    // Each from a subscriber of its own: it is the queue that is to say no.
    answered.push(await ask('fred', 'password', from(`198.51.100.${count}`)));
  });
  await until(() => answered.length === beyond);
  t.true(answered.every(({ status, headers }) => status === 503 && headers['retry-after'] === '10'));
  t.is(begun, 2);
  release();
  await Promise.all(all);
  t.true(answered.slice(beyond).every(({ status }) => status === 404));
  t.true(counted.atOnce() <= 2);
  t.is(server.events('login.failed').length, 0, 'nobody has failed');
  t.is((await ask('fred', 'password')).status, 404);
});

test('while passwords are hashed, the server answers everybody else', async (t) => {
  const counted = countedPasswords();
  const accounts = `users: {fred: {password: "${await counted.passwords.hash('password')}"}}\n`;
  const { server, ask } = await started(t, FOR_FRED, { accounts });
  let hashing = true;
  const logins = Promise.all(
    Array.from({ length: MOST_WAITING }, (_, count) => ask('fred', 'x', from(`198.51.100.${count}`))),
  ).finally(() => {
    hashing = false;
  });
  // On the event loop each of them would hold all answers up, and none would come before the last.
  let healthy = 0;
  while (hashing && healthy < 3) {
    t.is((await httpRequest(`${server.localUrl}/healthz`, {})).status, 200);
    if (hashing) healthy++;
  }
  t.is(healthy, 3);
  await logins;
});

test('a login for a user that there is not takes as long as one for a user that there is', async (t) => {
  const hash = await countedPasswords().passwords.hash('password');
  const { ask } = await started(t, FOR_FRED, { accounts: `users: {fred: {password: "${hash}"}}\n` });
  const times: Record<string, number[]> = { fred: [], nobody: [] };
  for (let count = 0; count < 9; count++) {
    for (const user of ['fred', 'nobody']) {
      const begun = performance.now();
      await ask(user, 'wrong', from(`2001:db8:${count}:${user === 'fred' ? 1 : 2}::1`));
      times[user]?.push(performance.now() - begun);
    }
  }
  const median = (values: number[] = []): number => values.toSorted((a, b) => a - b)[4] ?? 0;
  const ratio = median(times['fred']) / median(times['nobody']);
  // Without the decoy it is ten, at least.
  t.true(ratio > 1 / 4 && ratio < 4, String(ratio));
});

const PASSLIB_USERS = `users: {fred: {password: ${PASSLIB}}, mary: {password: "${CHEAP}"}}\n`;

test('a hash of the original\u0027s is replaced at the first login by it, in the state folder, and no other hash is', async (t) => {
  const state = await scratchFolder(t);
  const file = join(state, PASSWORD_UPGRADES);
  const auth = { download_release: { users: ['fred', 'mary'] } };
  const { server, counted, ask } = await started(t, auth, { accounts: PASSLIB_USERS, settings: { state } });
  await ask('fred', 'wrong');
  await ask('mary', 'password');
  await t.throwsAsync(readFile(file), { code: 'ENOENT' });
  t.is((await ask('fred', 'password')).status, 404);
  t.like(server.events('login.upgraded'), [{ user: 'fred' }]);
  const [line = '', ...rest] = (await readFile(file, 'utf8')).split('\n');
  t.deepEqual(rest, ['']);
  t.regex(JSON.parse(line).hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  t.false(line.includes('fred') || line.includes(PASSLIB));

  counted.done();
  t.is((await ask('fred', 'password')).status, 404);
  t.deepEqual(counted.done(), ['argon2id m=19456,t=2,p=1'], 'PBKDF2 is asked of nobody any more');
  t.is((await ask('fred', 'wrong')).status, 401);
});

test('a replaced hash counts after a restart too, until the accounts file has another one', async (t) => {
  const state = await scratchFolder(t);
  const options = { accounts: PASSLIB_USERS, settings: { state } };
  const first = await started(t, FOR_FRED, options);
  await first.ask('fred', 'password');
  const { server, counted, ask } = await started(t, FOR_FRED, options);
  t.is((await ask('fred', 'password')).status, 404);
  t.deepEqual(counted.done(), ['argon2id m=19456,t=2,p=1']);
  t.true(await server.reloadAccounts(PASSLIB_USERS.replace('tmQ', 'tmA')));
  t.is((await ask('fred', 'password')).status, 401, 'a password that was changed is changed');
});

test('who has come in is not turned away where the better hash cannot be kept', async (t) => {
  const { server, ask } = await started(t, FOR_FRED, { accounts: PASSLIB_USERS });
  for (let count = 0; count < 2; count++) t.is((await ask('fred', 'password')).status, 404);
  t.like(server.events('login.upgrade-failed'), [{ user: 'fred' }, { user: 'fred' }]);
});

test('lines that a crash cut off are passed over, and closed by the next one', async (t) => {
  const state = await scratchFolder(t);
  const file = join(state, PASSWORD_UPGRADES);
  await writeFile(file, '{"replaces":"0123');
  const options = { accounts: PASSLIB_USERS, settings: { state } };
  const first = await started(t, FOR_FRED, options);
  t.is((await first.ask('fred', 'password')).status, 404);
  t.is((await readFile(file, 'utf8')).split('\n').length, 3);
  const { counted, ask } = await started(t, FOR_FRED, options);
  t.is((await ask('fred', 'password')).status, 404);
  t.deepEqual(counted.done(), ['argon2id m=19456,t=2,p=1']);
});

test('accounts and settings are taken over as they are read again', async (t) => {
  const { server, ask } = await started(t, FOR_FRED);
  t.true(await server.reloadAccounts('users: {}\n'));
  t.is((await ask('fred', 'password')).status, 401);
  t.false(await server.reloadAccounts('users: {fred: {password: hunter2}}\n'), 'a bad file');
  t.regex(String(server.events('server.reload-failed')[0]?.['reason']), /accounts\.yml:1: users\.fred\.password/);
  t.false(JSON.stringify(server.logged).includes('hunter2'));
  t.is((await ask('fred', 'password')).status, 401, 'those that were read last still count');
  t.true(await server.reloadAccounts(ACCOUNTS));
  t.is((await ask('fred', 'password')).status, 404);
  t.true(await server.reload({ v1: { enabled: true }, server_auth: {} }));
  t.is((await ask('fred', 'password')).status, 403);
});

test('pauses end', async (t) => {
  const clock = standingClock(new Date());
  const { ask } = await started(t, FOR_FRED, { clock });
  for (let count = 0; count < 6; count++) await ask('fred', 'x', from(`198.51.100.${count}`));
  clock.set(new Date(clock.now().getTime() + minutes(1)));
  t.is((await ask('fred', 'password', from('198.51.100.99'))).status, 404);
});
