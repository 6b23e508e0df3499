import { spawnSync } from 'node:child_process';
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { appendFile, chmod, readFile, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { PASSWORD_UPGRADES } from '../../../src/settings/password-upgrades.ts';
import { type HttpAnswer, httpRequest } from '../../support/http.ts';
import { basic, PASSLIB } from '../../support/passwords.ts';
import { penguindome, succeed } from '../../support/penguindome.ts';
import { type Installed, installServer, type RunningProgram, runServer, until } from '../../support/server-program.ts';
import { fleetKey } from '../../support/v1-client.ts';

const SERVER = 'build/penguindome-server';

/** What setup made, with v1 on, for two workers. */
async function installTwo(t: ExecutionContext): Promise<Installed> {
  const installed = await installServer(t);
  const settings = await readFile(installed.config, 'utf8');
  await writeFile(join(installed.dir, 'keys/v1-client.asc'), fleetKey.publicKey);
  const on = /^v1:\n {2}enabled: false\n {2}# /m;
  await writeFile(
    installed.config,
    settings.replace('# processes: 2', 'processes: 2').replace(on, 'v1:\n  enabled: true\n  '),
  );
  return installed;
}

async function download({ dir, url }: Installed, headers: Record<string, string>, agent?: Agent): Promise<HttpAnswer> {
  const ca = await readFile(join(dir, 'pki/ca.crt'), 'utf8');
  return httpRequest(`${url}/penguindome/v1/download_release`, { ca, headers, ...(agent && { agent }) });
}

const set = ({ config }: Installed, path: string, value: string) =>
  succeed(['--config', config, 'settings', 'set', path, value]);

async function setPassword({ config }: Installed, user: string, password: string, ...args: string[]): Promise<void> {
  const { status, stderr } = await penguindome(
    ['--config', config, 'passwords', 'set', user, '--password-file', '-', ...args],
    { input: `${password}\n` },
  );
  if (status !== 0) throw new Error(stderr);
}

async function reload(server: RunningProgram, count: number): Promise<void> {
  server.child.kill('SIGHUP');
  await server.waitFor('server.reloaded', count);
}

test('an operator lets somebody in while the server runs, and out again, and no connection is lost', async (t) => {
  const installed = await installTwo(t);
  const server = await runServer(t, installed);
  await server.waitFor('server.endpoint-closed');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const fred = basic('fred', 'correct horse');
  t.is((await download(installed, fred, agent)).status, 403);
  await setPassword(installed, 'fred', 'correct horse');
  await set(installed, 'server_auth.download_release.users', '[fred]');
  await reload(server, 1);
  t.is((await download(installed, fred, agent)).status, 404, 'by the connection that was there before');
  t.is((await download(installed, fred)).status, 404, 'by the other worker');

  const accounts = join(installed.dir, 'accounts.yml');
  const good = await readFile(accounts, 'utf8');
  await appendFile(accounts, 'user: {}\n');
  const check = spawnSync(process.execPath, [SERVER, '--config', installed.config, '--check-config'], {
    encoding: 'utf8',
  });
  t.is(check.status, 1);
  t.regex(check.stdout, /accounts: .*\n.*accounts\.yml:\d+: user: expected a known key, .*did you mean users\?/);
  server.child.kill('SIGHUP');
  await server.waitFor('server.reload-failed');
  t.is((await download(installed, fred, agent)).status, 404, 'what was read last still counts');

  await writeFile(accounts, good);
  await succeed(['--config', installed.config, 'passwords', 'remove', 'fred']);
  await reload(server, 2);
  t.is((await download(installed, fred, agent)).status, 401);
  await server.waitFor('accounts.unknown-name');
});

test('failures are counted over all workers', async (t) => {
  const installed = await installTwo(t);
  await setPassword(installed, 'downloader', 'correct horse', '--endpoint', 'download_release');
  await runServer(t, installed);
  const statuses: number[] = [];
  for (let count = 0; count < 6; count++) {
    statuses.push((await download(installed, basic('downloader', 'wrong'))).status);
  }
  t.deepEqual(statuses, [401, 401, 401, 401, 401, 429]);
});

test('a server does not start on accounts that it cannot use, and says what to do', async (t) => {
  const installed = await installServer(t);
  const accounts = join(installed.dir, 'accounts.yml');
  const start = () => spawnSync(process.execPath, [SERVER, '--config', installed.config], { encoding: 'utf8' });
  await writeFile(accounts, 'users: {fred: {password: hunter2}}\n', { mode: 0o640 });
  const bad = start();
  t.is(bad.status, 3);
  t.regex(bad.stderr, /accounts\.yml:1: users\.fred\.password: expected a hash that `penguindome passwords set`/);
  t.false(`${bad.stdout}${bad.stderr}`.includes('hunter2'));
  await writeFile(accounts, '');
  await chmod(accounts, 0o644);
  t.regex(start().stderr, /others may read or change it \(mode 0644\); run chmod 640/);
});

const USERS = Array.from({ length: 8 }, (_, index) => `user-${index}`);

/** As passlib writes it. */
function passlib(password: string): string {
  const [salt, rounds] = [randomBytes(16), 20_000];
  const ab64 = (bytes: Buffer) => bytes.toString('base64').replaceAll('+', '.').replace(/=+$/, '');
  return `$pbkdf2-sha256$${rounds}$${ab64(salt)}$${ab64(pbkdf2Sync(password, salt, rounds, 32, 'sha256'))}`;
}

test('a server that is killed while it replaces hashes keeps nobody out; passwords upgrade takes over what it made', async (t) => {
  const installed = await installTwo(t);
  const accounts = join(installed.dir, 'accounts.yml');
  const lines = USERS.map((user) => `  ${user}: {password: ${passlib(`${user}, his word`)}} # once\n`);
  const text = `# of the original\nusers:\n${lines.join('')}`;
  await writeFile(accounts, text, { mode: 0o640 });
  await set(installed, 'server_auth.download_release.users', JSON.stringify(USERS));
  const logIn = (user: string) => download(installed, basic(user, `${user}, his word`));
  for (const upgraded of [1, 3]) {
    const server = await runServer(t, installed);
    let answered = 0;
    const logins = USERS.map((user) =>
      logIn(user).then(
        () => answered++,
        () => undefined,
      ),
    );
    const made = () => server.lines.filter(({ event }) => event === 'login.upgraded').length;
    // All of them may have been replaced before the first server was killed.
    await until(() => made() >= upgraded || answered === USERS.length);
    if (server.child.pid !== undefined) process.kill(-server.child.pid, 'SIGKILL');
    await Promise.all([...logins, server.ended]);
  }
  // And in the middle of a line, where that did not happen by itself.
  await appendFile(join(installed.dir, 'state', PASSWORD_UPGRADES), '{"replaces":"00');
  const server = await runServer(t, installed);
  for (const user of USERS) t.is((await logIn(user)).status, 404, user);
  t.is((await download(installed, basic('user-0', 'wrong'))).status, 401);
  t.is(await readFile(accounts, 'utf8'), text, 'the server does not write there');

  const config = ['--config', installed.config];
  t.is((await penguindome([...config, 'passwords', 'upgrade'])).status, 2, 'nobody to ask');
  t.regex(await succeed([...config, 'passwords', 'upgrade', '--yes']), /8 replaced/);
  const after = await readFile(accounts, 'utf8');
  t.is(after.replace(/password: [^}]*}/g, ''), text.replace(/password: [^}]*}/g, ''), 'comments and order stay');
  t.false(after.includes('pbkdf2'));
  await t.throwsAsync(readFile(join(installed.dir, 'state', PASSWORD_UPGRADES)), { code: 'ENOENT' });
  await reload(server, 1);
  for (const user of USERS) t.is((await logIn(user)).status, 404, user);
});

test('an original installation\u0027s hash lets in over HTTPS as it is', async (t) => {
  const installed = await installTwo(t);
  await writeFile(join(installed.dir, 'accounts.yml'), `users: {fred: {password: ${PASSLIB}}}\n`, { mode: 0o640 });
  await set(installed, 'server_auth.download_release.users', '[fred]');
  await runServer(t, installed);
  t.is((await download(installed, basic('fred', 'password'))).status, 404);
});
