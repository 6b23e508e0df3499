import { once } from 'node:events';
import { createServer as createTlsServer } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import type { EventName } from '../../src/core/events.ts';
import { type OpenPort, openPort } from '../../src/server/open-port.ts';
import { readCertificate } from '../../src/server/port-settings.ts';
import { createTicketRing, TICKET_LIFE, type TicketRing, type TicketSecrets } from '../../src/server/ticket-keys.ts';
import { useTickets } from '../../src/server/use-tickets.ts';
import { testPki } from '../support/certificates.ts';
import { scratchFolder } from '../support/scratch.ts';
import { testSettings } from '../support/server.ts';
import { realRandom } from '../support/world.ts';

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
type Version = (typeof VERSIONS)[number];
type Certificate = { cert: string; key: string };

interface TestPort {
  /** A connection with this session, or none; one request is answered on it. */
  visit(version: Version, session?: Buffer): Promise<{ resumed: boolean; sessions: Buffer[] }>;
  port: OpenPort;
  certificate: Certificate;
  update(certificate: Certificate): void;
}

let made: Promise<[Certificate, Certificate]> | undefined;

/** Made once: an RSA key takes its time. */
function certificates(t: ExecutionContext): Promise<[Certificate, Certificate]> {
  made ??= (async () => {
    const pki = await testPki(await scratchFolder(t));
    return [await readCertificate(await pki.issue()), await readCertificate(await pki.issue())];
  })();
  return made;
}

/** A port as a worker opens it, with the secrets of this ring. */
async function startPort(t: ExecutionContext, ring: TicketRing, certificate: Certificate): Promise<TestPort> {
  const { limits } = testSettings({});
  const spec = { name: 'test', port: 0, host: '127.0.0.1', deprecated: false, local: false };
  const port = await openPort(
    { ...spec, tls: [certificate] },
    {
      limits,
      handle: (_, response) => void response.end('here'),
      log: { event: () => undefined },
      shared: { workers: 1, tickets: { secrets: () => ring.secrets(), onRotated: () => () => undefined } },
    },
  );
  t.teardown(() => {
    port.server.close();
    port.server.closeAllConnections();
  });
  return {
    port,
    certificate,
    visit: (version, session) => visit(port.port(), version, session),
    update: (next) => port.prepare({ ...spec, tls: [next] }, limits)(),
  };
}

async function visit(
  port: number,
  version: Version,
  session?: Buffer,
): Promise<{ resumed: boolean; sessions: Buffer[] }> {
  const socket: TLSSocket = connect({
    host: '127.0.0.1',
    port,
    rejectUnauthorized: false,
    minVersion: version,
    maxVersion: version,
    ...(session === undefined ? {} : { session }),
  });
  const sessions: Buffer[] = [];
  socket.on('session', (made: Buffer) => sessions.push(made));
  await once(socket, 'secureConnect');
  const resumed = socket.isSessionReused();
  socket.end('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  // What TLS 1.3 gives comes after the handshake, and before the answer.
  socket.resume();
  await once(socket, 'close');
  return { resumed, sessions };
}

async function firstTicket({ visit }: TestPort, version: Version): Promise<Buffer> {
  const { resumed, sessions } = await visit(version);
  const session = sessions.at(-1);
  if (resumed || session === undefined) throw new Error('no ticket was given');
  return session;
}

for (const version of VERSIONS) {
  test(`${version}: what one process began another resumes`, async (t) => {
    const ring = createTicketRing(realRandom);
    const [certificate] = await certificates(t);
    const [one, other] = [await startPort(t, ring, certificate), await startPort(t, ring, certificate)];
    t.true((await other.visit(version, await firstTicket(one, version))).resumed);
    t.true((await one.visit(version, await firstTicket(other, version))).resumed);
    const stranger = await startPort(t, createTicketRing(realRandom), certificate);
    t.false((await stranger.visit(version, await firstTicket(one, version))).resumed);
  });

  test(`${version}: one rotation leaves a ticket good, two do not`, async (t) => {
    const ring = createTicketRing(realRandom);
    const port = await startPort(t, ring, (await certificates(t))[0]);
    const first = await firstTicket(port, version);
    ring.rotate();
    t.true((await port.visit(version, first)).resumed);
    const second = await firstTicket(port, version);
    ring.rotate();
    t.false((await port.visit(version, first)).resumed);
    // So it was made by the key of its time, not by the first one.
    t.true((await port.visit(version, second)).resumed);
  });

  test(`${version}: a resumed connection gives no new ticket: who resumes looks at the certificate once in a while`, async (t) => {
    const port = await startPort(t, createTicketRing(realRandom), (await certificates(t))[0]);
    const ticket = await firstTicket(port, version);
    const again = await port.visit(version, ticket);
    t.true(again.resumed);
    t.deepEqual(
      again.sessions.filter((each) => !each.equals(ticket)),
      [],
    );
  });

  test(`${version}: another certificate voids the tickets of the one before, and the same one again does not`, async (t) => {
    const port = await startPort(t, createTicketRing(realRandom), (await certificates(t))[0]);
    const ticket = await firstTicket(port, version);
    port.update(port.certificate);
    t.true((await port.visit(version, ticket)).resumed);
    port.update((await certificates(t))[1]);
    t.false((await port.visit(version, ticket)).resumed);
    t.true((await port.visit(version, await firstTicket(port, version))).resumed);
  });

  test(`${version}: a ticket says that it lives as long as its key may, after a reload too`, async (t) => {
    const port = await startPort(t, createTicketRing(realRandom), (await certificates(t))[0]);
    t.is(lifetimeHint(await firstTicket(port, version)), TICKET_LIFE / 1000);
    port.update(port.certificate);
    t.is(lifetimeHint(await firstTicket(port, version)), TICKET_LIFE / 1000);
  });

  test(`${version}: a Node without the callback takes the present key, and says so`, async (t) => {
    const [certificate] = await certificates(t);
    const ring = createTicketRing(realRandom);
    const [one, other] = [await withoutCallback(t, certificate), await withoutCallback(t, certificate)];
    for (const each of [one, other]) each.useSecrets(ring.secrets());
    t.deepEqual(one.events, ['tls.one-ticket-key']);
    const [ticket] = (await visit(one.port, version)).sessions.slice(-1);
    t.true((await visit(other.port, version, ticket)).resumed);
    other.useSecrets(ring.rotate());
    t.false((await visit(other.port, version, ticket)).resumed);
  });
}

/** A server whose Node has no callback for ticket keys. */
async function withoutCallback(t: ExecutionContext, certificate: Certificate) {
  const server = createTlsServer({ ...certificate, minVersion: 'TLSv1.2' }, (_, response) => void response.end('here'));
  const context: unknown = Reflect.get(Reflect.get(server, '_sharedCreds'), 'context');
  if (typeof context !== 'object' || context === null) throw new Error('this Node keeps its context elsewhere');
  Reflect.set(context, 'enableTicketKeyCallback', undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => void server.close());
  const events: EventName[] = [];
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    events,
    useSecrets: (secrets: TicketSecrets) =>
      useTickets(server, certificate.cert, {
        secrets: () => secrets,
        log: { event: (name) => void events.push(name) },
      }),
  };
}

/** Field [9] of OpenSSL's SSL_SESSION (i2d_SSL_SESSION(3)), in seconds. */
function lifetimeHint(session: Buffer): number | undefined {
  let rest = element(session).content;
  while (rest.length > 0) {
    const { tag, content, after } = element(rest);
    if (tag === 0xa9) return Number(`0x${element(content).content.toString('hex')}`);
    rest = after;
  }
  return undefined;
}

/** The first one of DER. */
function element(der: Buffer): { tag: number; content: Buffer; after: Buffer } {
  const short = der.readUInt8(1);
  const lengthBytes = short < 0x80 ? 0 : short & 0x7f;
  const length = lengthBytes === 0 ? short : der.readUIntBE(2, lengthBytes);
  const start = 2 + lengthBytes;
  return { tag: der.readUInt8(0), content: der.subarray(start, start + length), after: der.subarray(start + length) };
}
