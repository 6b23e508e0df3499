/** Ports of the built server, with two workers, changed by the operator's commands and taken over at SIGHUP. */
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { operate } from '../admin/site-in-process.ts';
import { freePort } from '../support/free-port.ts';
import { httpRequest } from '../support/http.ts';
import { installServer, type RunningProgram, runServer, until } from '../support/server-program.ts';

/** More than one worker could get by chance. */
const SOME = 6;

async function startTwo(t: ExecutionContext) {
  const installed = await installServer(t);
  const settings = await readFile(installed.config, 'utf8');
  await writeFile(installed.config, settings.replace('# processes: 2', 'processes: 2'));
  const server = await runServer(t, installed);
  const ca = await readFile(join(installed.dir, 'pki/ca.crt'), 'utf8');
  const ports = async (...args: string[]) => {
    const { status, err } = await operate(['--config', installed.config, 'ports', ...args]);
    t.is(status, 0, err);
  };
  let [good, bad] = [0, 0];
  return {
    ...installed,
    server,
    ca,
    ports,
    port: Number(new URL(installed.url).port),
    reload: async () => {
      server.child.kill('SIGHUP');
      good++;
      await until(
        () =>
          eventsOf(server, 'server.reloaded').length === good || eventsOf(server, 'server.reload-failed').length > bad,
      );
      t.deepEqual(eventsOf(server, 'server.reload-failed').slice(bad), []);
    },
    /** @returns why not */
    reloadInVain: async () => {
      server.child.kill('SIGHUP');
      await server.waitFor('server.reload-failed', ++bad);
      return String(eventsOf(server, 'server.reload-failed').at(-1)?.['reason']);
    },
    status: (port: number, scheme = 'https') =>
      httpRequest(`${scheme}://127.0.0.1:${port}/`, { ca }).then(
        ({ status }) => status,
        (error: NodeJS.ErrnoException) => error.code ?? error.message,
      ),
  };
}

function eventsOf({ lines }: RunningProgram, event: string): Record<string, unknown>[] {
  return lines.filter((line) => line['event'] === event);
}

async function open(t: ExecutionContext, port: number): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

async function shown(t: ExecutionContext, port: number): Promise<Set<string>> {
  const found = new Set<string>();
  for (let count = 0; count < SOME; count++) {
    const socket = await open(t, port);
    found.add(socket.getPeerCertificate().fingerprint256);
    socket.destroy();
  }
  return found;
}

/** Asks on an open connection. @returns the status line */
async function ask(socket: TLSSocket): Promise<string> {
  const answered = once(socket, 'data');
  socket.write('GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n');
  return String((await answered)[0]).split('\r\n')[0] ?? '';
}

/** A request that is half sent; the server has begun with it, for it has said so (100 Continue). */
async function beginRequest(port: number): Promise<{ status: Promise<unknown>; finish(): void }> {
  const headers = { 'content-length': '2', expect: '100-continue' };
  const slow = request({
    ...{ host: '127.0.0.1', port, path: '/penguindome/v2/submit', method: 'POST' },
    ...{ headers, rejectUnauthorized: false, agent: false },
  });
  const status = new Promise((resolve, reject) => {
    slow.on('error', reject);
    slow.on('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
  });
  await once(slow, 'continue');
  slow.write('{');
  return { status, finish: () => slow.end('}') };
}

test('ports and certificates are changed while connections are open and come: not one of them is lost', async (t) => {
  const site = await startTwo(t);
  const second = await freePort();
  const kept = await Promise.all([open(t, site.port), open(t, site.port)]);
  const goOn = async () => {
    for (const socket of kept) t.is(await ask(socket), 'HTTP/1.1 404 Not Found', 'open since before all of it');
  };
  await goOn();
  const before = await shown(t, site.port);
  t.is(before.size, 1);

  let coming = true;
  const statuses: unknown[] = [];
  const comers = (async () => {
    while (coming) statuses.push(await site.status(site.port));
  })();

  t.is(await site.status(second), 'ECONNREFUSED');
  await site.ports('add', String(second));
  await site.reload();
  await goOn();
  t.is(await site.status(second), 404, 'an added port listens, with a certificate that the CA vouches for');

  await site.ports('certificate', String(site.port));
  await site.ports('deprecate', String(second));
  await site.reload();
  await goOn();
  const after = await shown(t, site.port);
  t.is(after.size, 1, 'all workers show the same');
  t.notDeepEqual(after, before);

  const slow = await beginRequest(second);
  await site.ports('remove', String(second));
  await site.reload();
  t.regex(String(await site.status(second)), /ECONNREFUSED|ECONNRESET/, 'a removed one is gone');
  slow.finish();
  t.is(await slow.status, 415, 'and what was under way on it is answered');

  coming = false;
  await comers;
  t.true(statuses.length > SOME);
  t.deepEqual([...new Set(statuses)], [404]);
  await goOn();
  t.deepEqual(
    eventsOf(site.server, 'server.port-closed').map(({ name }) => name),
    [String(second)],
    'told once, not by each worker',
  );
  t.is(eventsOf(site.server, 'server.certificate-changed').length, 1);
});

test('a port changes from TLS to plain and back; what is under way is answered', async (t) => {
  const site = await startTwo(t);
  const second = await freePort();
  await site.ports('add', String(second), '--address', '127.0.0.1');
  await site.reload();
  const slow = await beginRequest(second);
  await site.ports('configure', String(second), '--no-tls');
  await site.reload();
  for (let count = 0; count < SOME; count++) t.is(await site.status(second, 'http'), 404);
  slow.finish();
  t.is(await slow.status, 415);
  await site.ports('configure', String(second), '--tls', '--all-addresses');
  await site.reload();
  for (let count = 0; count < SOME; count++) t.is(await site.status(second), 404);
});

test('where one thing cannot be had, nothing changes: ports, certificates, in every worker', async (t) => {
  const site = await startTwo(t);
  const [second, third] = [await freePort(), await freePort()];
  await site.ports('add', String(second));
  await site.reload();
  const good = await readFile(site.config, 'utf8');
  const before = await shown(t, site.port);

  const holder = createServer().listen(third);
  await once(holder, 'listening');
  t.teardown(() => holder.close());
  await site.ports('remove', String(second));
  await site.ports('certificate', String(site.port));
  await site.ports('add', String(third));
  t.regex(await site.reloadInVain(), new RegExp(`cannot listen on port ${third}: another program has it`));
  t.is(await site.status(second), 404, 'the port that was to go is there');
  t.deepEqual(await shown(t, site.port), before);

  await writeFile(site.config, good.replace(/^( +certificate: )state\/tls\/server\.crt$/m, '$1state/tls/nothing.crt'));
  t.regex(await site.reloadInVain(), /cannot read .*tls\/nothing\.crt/);
  t.deepEqual(await shown(t, site.port), before);

  await writeFile(site.config, good);
  await site.reload();
  t.is(await site.status(second), 404);
});
