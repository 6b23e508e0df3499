import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { connect as connectPlain, createServer } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import test from 'ava';
import { testPki } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { httpRequest } from '../support/http.ts';
import { scratchFolder } from '../support/scratch.ts';
import { startTestServer } from '../support/server.ts';
import { FORM, fleetKey, v1Form } from '../support/v1-client.ts';
import { enrolledClient, makeToken, v2Client } from '../support/v2-client.ts';

const PLAIN = { port: 0, host: '127.0.0.1', tls: false };

function handshake(url: string, options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), ...options }, () => resolve(socket));
    socket.on('error', reject);
  });
}

test('TLS 1.3 is preferred, 1.2 is taken, and nothing older', async (t) => {
  const pki = await testPki(await scratchFolder(t));
  const server = await startTestServer(t, { settings: { ports: [{ ...PLAIN, tls: await pki.issue() }] } });
  const ca = pki.authority.certificate;
  for (const [options, protocol] of [
    [{ ca }, 'TLSv1.3'],
    [{ ca, maxVersion: 'TLSv1.2' }, 'TLSv1.2'],
  ] as const) {
    const socket = await handshake(server.url, options);
    t.is(socket.getProtocol(), protocol);
    socket.destroy();
  }
  const old = { ca, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  await t.throwsAsync(handshake(server.url, old));
});

test('a handshake that fails is one line in the log', async (t) => {
  const pki = await testPki(await scratchFolder(t));
  const server = await startTestServer(t, { settings: { ports: [{ ...PLAIN, tls: await pki.issue() }] } });
  const socket = connectPlain({ host: '127.0.0.1', port: Number(new URL(server.url).port) });
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'close');
  const broken = server.events('connection.broken');
  t.is(broken.length, 1, JSON.stringify(broken));
  t.like(broken[0], { remote: '127.0.0.1', status: undefined });
});

test('a host enrols and submits over TLS', async (t) => {
  const pki = await testPki(await scratchFolder(t));
  const server = await startTestServer(t, { settings: { ports: [{ ...PLAIN, tls: await pki.issue() }] } });
  const client = v2Client({ ...server, hostname: 'penguin-07', ca: pki.authority.certificate });
  t.is((await client.enroll(await makeToken(server.store))).json['status'], 'approved');
  const answer = await client.submit({ 'plugins.x': 1 });
  t.deepEqual([answer.status, answer.verified], [200, true]);
});

test('a new certificate is served after a reload, and an open connection goes on', async (t) => {
  const pki = await testPki(await scratchFolder(t));
  const settings = { ports: [{ ...PLAIN, tls: await pki.issue() }] };
  const server = await startTestServer(t, { settings });
  const ca = pki.authority.certificate;
  const open = await handshake(server.url, { ca });
  const first = open.getPeerX509Certificate()?.serialNumber;
  await pki.issue();
  t.true(await server.reload(settings));
  const fresh = await handshake(server.url, { ca });
  t.not(fresh.getPeerX509Certificate()?.serialNumber, first);
  fresh.destroy();
  const answered = new Promise((resolve) => open.once('data', resolve));
  open.write('GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n');
  t.regex(String(await answered), /^HTTP\/1\.1 404/);
  open.destroy();
});

test('bad settings, or a key that does not fit its certificate, change nothing', async (t) => {
  const folder = await scratchFolder(t);
  const pki = await testPki(folder);
  const tls = await pki.issue();
  const settings = { ports: [{ ...PLAIN, tls }] };
  const server = await startTestServer(t, { settings });
  const other = await testPki(join(folder, 'other'));
  await writeFile(tls.key, other.authority.key);
  t.false(await server.reload(settings));
  t.false(await server.reload({ ports: [] }));
  t.false(await server.reload({ ports: [{ ...PLAIN, tls: { certificate: '/nonexistent', key: '/nonexistent' } }] }));
  t.is(server.events('server.reload-failed').length, 3);
  (await handshake(server.url, { ca: pki.authority.certificate })).destroy();
});

test('ports come and go with a reload; what is under way on one that goes is answered', async (t) => {
  const server = await startTestServer(t, { settings: { ports: [PLAIN, PLAIN] } });
  const [kept = '', going = ''] = server.urls;
  const slow = await beginRequest(going);
  const port = await freePort();
  t.true(await server.reload({ ports: [PLAIN, { ...PLAIN, port }] }));
  await t.throwsAsync(httpRequest(going, {}), { message: NOBODY_LISTENS });
  slow.finish();
  t.is(await slow.status, 415);
  t.is((await httpRequest(kept, {})).status, 404);
  t.is((await httpRequest(`http://127.0.0.1:${port}`, {})).status, 404);
});

test('a new port that is taken by somebody else leaves all as it was', async (t) => {
  const server = await startTestServer(t);
  const holder = createServer();
  const port = await new Promise<number>((resolve) => {
    holder.listen(0, '127.0.0.1', () => {
      const address = holder.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  t.teardown(() => holder.close());
  t.false(await server.reload({ ports: [{ ...PLAIN, port }] }));
  t.is((await httpRequest(server.url, {})).status, 404);
});

test('a reload changes the level of the log, and names what needs a restart', async (t) => {
  const server = await startTestServer(t);
  const state = '/elsewhere';
  t.true(await server.reload({ state, log: { level: 'error' } }));
  t.is(server.events('server.restart-needed').length, 0, 'a warning is below the level by now');
  t.true(await server.reload({ log: { level: 'info' } }));
  t.deepEqual(
    server.events('server.restart-needed').map(({ setting }) => setting),
    ['state'],
  );
});

test('health is told on the local port alone', async (t) => {
  const server = await startTestServer(t);
  for (const path of ['/healthz', '/readyz']) {
    t.is((await httpRequest(server.localUrl + path, {})).status, 200);
    t.is((await httpRequest(server.url + path, {})).status, 404);
  }
});

test('a host that comes by a deprecated port gets the issue; coming by another closes it', async (t) => {
  const settings = { ports: [{ ...PLAIN, deprecated: true }, PLAIN], v1: { enabled: true } };
  const server = await startTestServer(t, { settings, v1Keys: fleetKey.publicKey });
  const [deprecated = '', good = ''] = server.urls;
  const open = async (): Promise<string[]> => {
    const names: string[] = [];
    for await (const { hostname, name } of server.store.issues.listOpen()) names.push(`${hostname} ${name}`);
    return names;
  };
  const client = await enrolledClient(server, 'penguin-07');
  t.deepEqual(await open(), []);
  await client.submit({ 'plugins.x': 1 });
  t.deepEqual(await open(), ['penguin-07 deprecated-port']);
  await client.update({ unsigned: true });
  const v1 = async (url: string): Promise<number> =>
    (
      await httpRequest(`${url}/penguindome/v1/update`, {
        method: 'POST',
        headers: FORM,
        body: await v1Form({ hostname: 'penguin-v1', old_release: 0, n: Math.random() }),
      })
    ).status;
  t.is(await v1(deprecated), 200);
  t.deepEqual(await open(), ['penguin-07 deprecated-port', 'penguin-v1 deprecated-port']);
  t.is(await v1(good), 200);
  t.deepEqual(await open(), ['penguin-07 deprecated-port']);
  t.true(await server.reload({ ...settings, ports: [{ ...PLAIN, deprecated: false }, PLAIN] }));
  t.is((await client.update()).status, 200);
  t.deepEqual(await open(), []);
});

test('more connections than allowed are dropped, the others served, and it is said once', async (t) => {
  const server = await startTestServer(t, { settings: { limits: { connections: 2 } } });
  const port = Number(new URL(server.url).port);
  const sockets = Array.from({ length: 6 }, () => connectPlain(port, '127.0.0.1').on('error', () => undefined));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  while (sockets.filter(({ closed }) => closed).length < 4) await new Promise((resolve) => setTimeout(resolve, 20));
  t.is(server.events('connection.broken').length, 1);
  const [first, second] = sockets.filter(({ closed }) => !closed);
  second?.destroy();
  const answer = new Promise((resolve) => first?.once('data', resolve));
  first?.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  t.regex(String(await answer), /^HTTP\/1\.1 404/);
});

test('stopping answers what is under way, and accepts no more', async (t) => {
  const server = await startTestServer(t);
  const slow = await beginRequest(server.url);
  const idle = connectPlain(Number(new URL(server.url).port), '127.0.0.1');
  await once(idle, 'connect');
  const ended = new Promise((resolve) => idle.once('close', resolve));
  const stopped = server.running.stop();
  await t.throwsAsync(httpRequest(server.url, {}), { message: NOBODY_LISTENS });
  slow.finish();
  t.is(await slow.status, 415);
  idle.destroy();
  await Promise.all([stopped, ended]);
  t.is(server.logged.at(-1)?.event, 'server.stopped');
});

/** Which of them depends on when the kernel forgets the port. */
const NOBODY_LISTENS = /ECONNREFUSED|ECONNRESET/;

/** A request on a kept connection, half sent; the server has begun with it, for it has said so (100 Continue). */
async function beginRequest(url: string): Promise<{ status: Promise<unknown>; finish(): void }> {
  const agent = new Agent({ keepAlive: true });
  const headers = { 'content-length': '2', expect: '100-continue' };
  const slow = request(`${url}/penguindome/v2/submit`, { method: 'POST', agent, headers });
  const status = new Promise((resolve, reject) => {
    slow.on('response', (response) => {
      resolve(response.statusCode);
      response.resume();
      response.on('close', () => agent.destroy());
    });
    slow.on('error', reject);
  });
  await once(slow, 'continue');
  slow.write('{');
  return { status, finish: () => slow.end('}') };
}
