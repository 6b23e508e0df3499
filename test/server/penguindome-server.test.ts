import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { testPki } from '../support/certificates.ts';
import { httpRequest } from '../support/http.ts';
import { whenPresent } from '../support/needs.ts';
import { notifySocket } from '../support/notify-socket.ts';
import { installServer, runServer } from '../support/server-program.ts';

const SERVER = 'build/penguindome-server';
const has = (command: string): boolean => spawnSync(command, ['--version']).status === 0;

test('--check-config says yes to what setup made, and names each thing that is wrong', async (t) => {
  const { dir, config } = await installServer(t);
  const check = () => spawnSync(process.execPath, [SERVER, '--config', config, '--check-config'], { encoding: 'utf8' });
  t.is(check().status, 0, check().stdout);
  await writeFile(join(dir, 'state/tls/server.key'), await readFile(join(dir, 'pki/ca.key')));
  await rm(join(dir, 'keys/answer.key'));
  const wrong = check();
  t.is(wrong.status, 1);
  t.regex(wrong.stdout, /port \d+: cannot use the certificate/);
  t.regex(wrong.stdout, /keys: .*answer\.key/);
  await writeFile(config, 'nothing: here\n');
  t.is(check().status, 1);
  t.regex(check().stdout, /server\.yml.*nothing/);
});

test('--check-config --settings-only looks at the file alone, before there is anything that it names', async (t) => {
  const { dir, config } = await installServer(t);
  const alone = join(dir, 'elsewhere.yml');
  const check = (...args: string[]) =>
    spawnSync(process.execPath, [SERVER, '--config', alone, ...args], { encoding: 'utf8' });
  await writeFile(alone, (await readFile(config, 'utf8')).replace(/\bkeys$/m, 'no-such-folder'));
  t.is(check('--check-config').status, 1);
  const right = check('--check-config', '--settings-only');
  t.is(right.status, 0, right.stdout);
  await writeFile(alone, `${await readFile(config, 'utf8')}locl_port: 5000\n`);
  const wrong = check('--check-config', '--settings-only');
  t.is(wrong.status, 1);
  t.regex(wrong.stdout, /elsewhere\.yml:\d+: locl_port: expected .*local_port/);
  t.is(check('--settings-only').status, 2);
});

test('a port that cannot be had is told in words, by --check-config too', async (t) => {
  const { dir, config, url } = await installServer(t);
  const port = Number(new URL(url).port);
  const server = (...args: string[]) =>
    spawnSync(process.execPath, [SERVER, '--config', config, ...args], { encoding: 'utf8', timeout: 30_000 });
  const taken = createServer().listen(port);
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const start = server();
  t.is(start.status, 1);
  t.is(
    start.stderr,
    `penguindome-server: cannot listen on port ${port}: another program has it (ss -ltnp tells which); end that, or change the settings\n`,
  );
  const check = server('--check-config');
  t.is(check.status, 0, check.stdout);
  t.regex(check.stdout, new RegExp(`note: port ${port} is in use now`));

  const settings = await readFile(config, 'utf8');
  await writeFile(config, settings.replace(/^( +)(- port: \d+)$/m, '$1$2\n$1  host: 192.0.2.7'));
  await writeFile(join(dir, 'store/penguindome.db'), 'this is no database');
  const wrong = server('--check-config');
  t.is(wrong.status, 1, wrong.stdout);
  t.regex(wrong.stdout, /ports: cannot listen on 192\.0\.2\.7 port \d+: this machine does not have that address/);
  t.regex(wrong.stdout, /store: .*penguindome\.db: it is no SQLite database/);
});

test('--check-config notes a certificate that has expired: the server would start with it all the same', async (t) => {
  const installed = await installServer(t);
  const old = await testPki(join(installed.dir, 'old'), new Date('2020-01-01'));
  const { certificate, key } = await old.issue();
  await writeFile(join(installed.dir, 'state/tls/server.crt'), await readFile(certificate));
  await writeFile(join(installed.dir, 'state/tls/server.key'), await readFile(key));
  const args = [SERVER, '--config', installed.config, '--check-config'];
  const check = spawnSync(process.execPath, args, { encoding: 'utf8' });
  t.is(check.status, 0, check.stdout);
  t.regex(check.stdout, /note: port \d+: .*server\.crt expired on .*: no agent will trust it/);
  await runServer(t, installed);
});

whenPresent(has('systemd-notify') && has('python3'), 'the server under systemd: no systemd-notify, or no python3')(
  'the server tells systemd that it is ready, alive and stopping, reloads at SIGHUP, ends at SIGTERM',
  async (t) => {
    const installed = await installServer(t);
    const { config, localUrl } = installed;
    const socket = await notifySocket(t);
    const server = await runServer(t, installed, { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '1000000' });
    await socket.waitFor('READY=1');
    t.regex(await socket.waitFor('STATUS='), /2 ports, store reachable/);
    await socket.waitFor('WATCHDOG=1');
    t.is((await httpRequest(`${localUrl}/readyz`, {})).status, 200);

    const good = await readFile(config, 'utf8');
    await writeFile(config, good.replace('level: info', 'level: debug'));
    server.child.kill('SIGHUP');
    await server.waitFor('server.reloaded');
    await writeFile(config, good.replace('level: info', 'level: loud'));
    server.child.kill('SIGHUP');
    await server.waitFor('server.reload-failed');
    t.is((await httpRequest(`${localUrl}/healthz`, {})).status, 200);

    server.child.kill('SIGTERM');
    t.is(await server.ended, 0);
    t.true(socket.told.includes('STOPPING=1'));
    t.is(server.lines.at(-1)?.['event'], 'server.stopped');
  },
);
