import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { openSocket } from '../../src/agent/open-socket.ts';
import { placesOf } from '../../src/agent/places.ts';
import { RequestProblem } from '../../src/agent/problem.ts';
import { openTickets, type Peer } from '../../src/agent/tls-tickets.ts';
import { days, hours, type Milliseconds } from '../../src/core/duration.ts';
import {
  type CertificateAndKey,
  certificateFingerprint,
  makeAuthority,
  makeServerCertificate,
} from '../../src/crypto/certificates.ts';
import { scratchFolder } from '../support/scratch.ts';
import { realRandom } from '../support/world.ts';
import { newMachine } from './support/machine.ts';
import { certificates, startSite } from './support/site.ts';

interface TlsSite {
  url: string;
  /** for each connection that was set up: whether the server resumed a session */
  resumed: boolean[];
  /** from now on it has this certificate; its ticket keys stay */
  show(certificate: CertificateAndKey, options?: TlsOptions): void;
  /** it forgets all tickets that it gave */
  forget(): void;
}

/** A server that says a word and closes. */
async function serve(t: ExecutionContext, first: CertificateAndKey, options: TlsOptions = {}): Promise<TlsSite> {
  const resumed: boolean[] = [];
  const server = createServer({ cert: first.certificate, key: first.key, ...options }, (socket: TLSSocket) => {
    resumed.push(socket.isSessionReused());
    socket.on('error', () => undefined);
    socket.end('hello');
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const address: AddressInfo | string | null = server.address();
  return {
    url: `https://localhost:${typeof address === 'object' ? address?.port : 0}`,
    resumed,
    show: ({ certificate, key }, changed = options) => {
      const ticketKeys = server.getTicketKeys();
      server.setSecureContext({ cert: certificate, key, ...changed });
      server.setTicketKeys(ticketKeys);
    },
    forget: () => server.setTicketKeys(Buffer.alloc(48, 7)),
  };
}

interface Agent {
  /** Connects as one run of the agent does. @returns the problem, where there is one */
  visit(peer: Peer, later?: Milliseconds): Promise<RequestProblem | undefined>;
  file: string;
}

async function agent(t: ExecutionContext): Promise<Agent> {
  const places = placesOf({ state: await scratchFolder(t) });
  await mkdir(places.submit.root, { recursive: true });
  return {
    file: places.submit.ticket,
    visit: async (peer, later = 0) => {
      const clock = { now: () => new Date(Date.now() + later) };
      const tickets = await openTickets(places, peer, clock);
      try {
        const { socket } = await openSocket(peer, 5000, clock, tickets);
        for await (const _ of socket);
        return undefined;
      } catch (error) {
        if (error instanceof RequestProblem) return error;
        throw error;
      } finally {
        await tickets.save();
      }
    },
  };
}

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

for (const version of VERSIONS) {
  test(`${version}: the second run resumes the first one's session, the third the second's`, async (t) => {
    const { authority, certificate } = await certificates();
    const site = await serve(t, certificate, { maxVersion: version });
    const { visit } = await agent(t);
    const peer = { url: site.url, ca: authority.certificate };
    for (let run = 0; run < 3; run++) t.is(await visit(peer), undefined);
    t.deepEqual(site.resumed, [false, true, true]);
  });
}

for (const [what, options] of Object.entries({
  'speaks no TLS 1.3 any more': { maxVersion: 'TLSv1.2' },
  'wants another cipher': { ciphers: 'TLS_AES_256_GCM_SHA384' },
  'wants another group': { ecdhCurve: 'P-384' },
} as const)) {
  test(`a server that gave a ticket and now ${what} is checked in full, and resumed from then on`, async (t) => {
    const { authority, certificate } = await certificates();
    const site = await serve(t, certificate, { ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256' });
    const { visit } = await agent(t);
    const peer = { url: site.url, ca: authority.certificate };
    for (let run = 0; run < 2; run++) t.is(await visit(peer), undefined);
    site.show(certificate, options);
    for (let run = 0; run < 2; run++) t.is(await visit(peer), undefined);
    t.deepEqual(site.resumed, [false, true, false, true]);
  });
}

test('a server known by its pin is resumed, too', async (t) => {
  const { certificate } = await certificates();
  const site = await serve(t, certificate);
  const { visit } = await agent(t);
  const peer = { url: site.url, pin: certificateFingerprint(certificate.certificate) };
  for (let run = 0; run < 2; run++) t.is(await visit(peer), undefined);
  t.deepEqual(site.resumed, [false, true]);
});

test('the ticket lies where only the submitter can read it, and nothing else is left there', async (t) => {
  const { authority, certificate } = await certificates();
  const site = await serve(t, certificate);
  const { visit, file } = await agent(t);
  await visit({ url: site.url, ca: authority.certificate });
  t.is((await stat(file)).mode & 0o777, 0o600);
  t.deepEqual(await readdir(dirname(file)), ['tls-ticket.json']);
});

test('with another CA, another pin or another URL nothing is resumed', async (t) => {
  const { authority, certificate } = await certificates();
  const site = await serve(t, certificate);
  const pin = certificateFingerprint(certificate.certificate);
  const other = await makeAuthority({ now: new Date(), random: realRandom }, 'other');
  const { visit } = await agent(t);
  const peer = { url: site.url, ca: authority.certificate };
  t.is(await visit(peer), undefined);
  t.is((await visit({ ...peer, ca: other.certificate }))?.code, 'certificate');
  t.is(await visit(peer), undefined);
  t.is((await visit({ ...peer, pin: pin.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) }))?.code, 'certificate');
  t.is(await visit(peer), undefined);
  t.is(await visit({ ...peer, url: site.url.replace('localhost', '127.0.0.1') }), undefined);
  t.deepEqual(site.resumed.filter(Boolean), []);
});

test('a ticket of another Node is not used', async (t) => {
  const { authority, certificate } = await certificates();
  const site = await serve(t, certificate);
  const { visit, file } = await agent(t);
  const peer = { url: site.url, ca: authority.certificate };
  await visit(peer);
  const kept = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify({ ...kept, peer: '0'.repeat(64) }));
  await visit(peer);
  await visit(peer);
  t.deepEqual(site.resumed, [false, false, true]);
});

test('a damaged ticket is ignored and replaced', async (t) => {
  const { authority, certificate } = await certificates();
  const site = await serve(t, certificate);
  const { visit, file } = await agent(t);
  const peer = { url: site.url, ca: authority.certificate };
  await visit(peer);
  const whole = await readFile(file, 'utf8');
  const kept = JSON.parse(whole);
  const bytes = Buffer.from(kept.session, 'base64');
  const flipped = [0, 12, 60, 100, bytes.length >> 1, bytes.length - 20].map((at) =>
    JSON.stringify({
      ...kept,
      session: Buffer.from(bytes.map((b, i) => (i === at ? b ^ 0x55 : b))).toString('base64'),
    }),
  );
  const short = JSON.stringify({ ...kept, session: bytes.subarray(0, 40).toString('base64') });
  for (const damaged of [
    '',
    '{',
    whole.slice(0, 200),
    short,
    JSON.stringify({ ...kept, session: 'AAAA' }),
    ...flipped,
  ]) {
    await writeFile(file, damaged);
    t.is(await visit(peer), undefined, damaged);
    t.is(await visit(peer), undefined);
    t.true(site.resumed.at(-1), damaged);
  }
});

test('a server that no longer knows the ticket is checked in full, and its new one is kept', async (t) => {
  const { authority, certificate } = await certificates();
  const site = await serve(t, certificate);
  const { visit } = await agent(t);
  const peer = { url: site.url, ca: authority.certificate };
  await visit(peer);
  site.forget();
  t.is(await visit(peer), undefined);
  t.is(await visit(peer), undefined);
  t.deepEqual(site.resumed, [false, false, true]);
});

test('a server that no longer knows the ticket and has an expired certificate is refused, and no ticket of it is kept', async (t) => {
  const { authority, certificate } = await certificates();
  const site = await serve(t, certificate);
  const { visit, file } = await agent(t);
  const peer = { url: site.url, ca: authority.certificate };
  await visit(peer);
  const past = new Date(Date.now() - days(20 * 365));
  site.show(await makeServerCertificate({ now: past, random: realRandom }, authority, ['localhost']));
  site.forget();
  t.is((await visit(peer))?.code, 'certificate-dates');
  t.deepEqual(await readdir(dirname(file)), []);
});

test('a certificate that was replaced is looked at again a day after the last full check, however often tickets were renewed', async (t) => {
  const { authority, certificate } = await certificates();
  const site = await serve(t, certificate);
  const { visit } = await agent(t);
  const peer = { url: site.url, ca: authority.certificate };
  t.is(await visit(peer), undefined);
  const stranger = await makeAuthority({ now: new Date(), random: realRandom }, 'stranger');
  site.show(await makeServerCertificate({ now: new Date(), random: realRandom }, stranger, ['localhost']));
  for (const hour of [1, 12, 23]) t.is(await visit(peer, hours(hour)), undefined);
  t.deepEqual(site.resumed, [false, true, true, true]);
  t.is((await visit(peer, hours(24)))?.code, 'certificate');
});

test('a ticket is not used once the certificate that was checked has ended, nor before it was given', async (t) => {
  const { authority } = await certificates();
  const soon = new Date(Date.now() - days(30));
  const site = await serve(t, await makeServerCertificate({ now: soon, random: realRandom }, authority, ['localhost']));
  const { visit, file } = await agent(t);
  const peer = { url: site.url, ca: authority.certificate };
  await visit(peer);
  const kept = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify({ ...kept, ends_at: new Date(Date.now() - 1000).toISOString() }));
  await visit(peer);
  await visit(peer, -hours(1));
  t.deepEqual(site.resumed, [false, false, false]);
});

test.serial('submit takes up the ticket that an earlier submit left', async (t) => {
  const site = await startSite(t);
  const machine = await newMachine(t);
  const enrolled = await machine.feed(await site.token(), 'enroll');
  t.is(enrolled.status, 0, enrolled.err);
  const checks: string[] = [];
  for (let run = 0; run < 2; run++) {
    await machine.run('collect');
    const submitted = await machine.run('submit');
    t.is(submitted.status, 0, submitted.err);
    checks.push(JSON.parse(await readFile(machine.places.submit.ticket, 'utf8')).checked_at);
  }
  // a full handshake would have been a check of its own
  t.is(checks[0], checks[1]);
});
