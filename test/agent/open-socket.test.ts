import { createServer } from 'node:https';
import { createServer as createTcp } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { openSocket } from '../../src/agent/open-socket.ts';
import { RequestProblem } from '../../src/agent/problem.ts';
import { days } from '../../src/core/duration.ts';
import { type CertificateAndKey, makeAuthority, makeServerCertificate } from '../../src/crypto/certificates.ts';
import { realClock, realRandom } from '../support/world.ts';
import { certificates, listen } from './support/site.ts';

async function serve(
  t: ExecutionContext,
  { certificate, key }: CertificateAndKey,
  options: object = {},
): Promise<number> {
  return listen(
    t,
    createServer({ cert: certificate, key, ...options }, (_, response) => response.end()),
  );
}

async function problemOf(
  t: ExecutionContext,
  peer: { url: string; ca?: string; pin?: string },
): Promise<RequestProblem> {
  return t.throwsAsync(openSocket(peer, 5000, realClock), { instanceOf: RequestProblem });
}

test('the CA of the enrolment is trusted, by name and by address', async (t) => {
  const { authority, certificate } = await certificates();
  const port = await serve(t, certificate);
  for (const host of ['localhost', '127.0.0.1']) {
    const { socket } = await openSocket({ url: `https://${host}:${port}`, ca: authority.certificate }, 5000, realClock);
    t.true(socket.writable);
    socket.destroy();
  }
});

test('a certificate of another CA is refused, whatever the environment says', async (t) => {
  const { certificate } = await certificates();
  const other = await makeAuthority({ now: new Date(), random: realRandom }, 'other');
  const port = await serve(t, certificate);
  const problem = await problemOf(t, { url: `https://localhost:${port}`, ca: other.certificate });
  t.is(problem.code, 'certificate');
});

test('a certificate for other names than the one asked for is refused', async (t) => {
  const { authority, certificate } = await certificates();
  const server = createServer({ cert: certificate.certificate, key: certificate.key });
  const port = await listen(t, server, '127.0.0.2');
  const problem = await problemOf(t, { url: `https://127.0.0.2:${port}`, ca: authority.certificate });
  t.is(problem.code, 'certificate');
  t.regex(problem.message, /ALTNAME/);
});

const DATES = { 'has expired': -days(20 * 365), 'is not valid yet': days(30) };

for (const [what, shift] of Object.entries(DATES)) {
  test(`a certificate that ${what} is told as a possibly wrong clock, with both dates`, async (t) => {
    const { authority } = await certificates();
    const now = new Date(Date.now() + shift);
    const shifted = await makeServerCertificate({ now, random: realRandom }, authority, ['localhost']);
    const port = await serve(t, shifted);
    const problem = await problemOf(t, { url: `https://localhost:${port}`, ca: authority.certificate });
    t.is(problem.code, 'certificate-dates');
    const year = now.getUTCFullYear();
    t.regex(
      problem.message,
      new RegExp(`valid from (${year - 1}|${year})-.* to 20.*this host's clock says 20.*possibly the clock is wrong`),
    );
  });
}

test('TLS below 1.2 is refused', async (t) => {
  const { authority, certificate } = await certificates();
  const port = await serve(t, certificate, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' });
  const problem = await problemOf(t, { url: `https://localhost:${port}`, ca: authority.certificate });
  t.is(problem.code, 'unreachable');
  t.regex(problem.message, /version|protocol/i);
});

test('a port that accepts and says nothing is given up in time', async (t) => {
  const silent = createTcp((socket) => t.teardown(() => socket.destroy()));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.teardown(() => silent.close());
  const address = silent.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const problem = await t.throwsAsync(openSocket({ url: `https://127.0.0.1:${port}` }, 100, realClock), {
    instanceOf: RequestProblem,
  });
  t.is(problem.code, 'timed-out');
});

test('a port where nobody listens is told as such', async (t) => {
  const { certificate } = await certificates();
  const port = await serve(t, certificate);
  const problem = await problemOf(t, { url: `http://127.0.0.1:1` });
  t.is(problem.code, 'unreachable');
  t.is(problem.message, 'cannot reach http://127.0.0.1:1: the connection was refused');
  t.true(port > 0);
});
