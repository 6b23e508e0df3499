import { execFile } from 'node:child_process';
import { randomBytes, randomUUID, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer as createHttpsServer } from 'node:https';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import type { Random } from '../../src/core/world.ts';
import {
  type CertificateAndKey,
  certificateFingerprint,
  keyFits,
  makeAuthority,
  makeServerCertificate,
  readCertificate,
} from '../../src/crypto/certificates.ts';
import { whenPresent } from '../support/needs.ts';
import { scratchFolder } from '../support/scratch.ts';

const run = promisify(execFile);
const OPENSSL = '/usr/bin/openssl';
const withOpenssl = whenPresent(existsSync(OPENSSL), 'certificates against the real openssl: no /usr/bin/openssl');
const random: Random = { uuid: randomUUID, bytes: (count) => randomBytes(count) };
const DAY = 86_400_000;
const NAMES = ['penguins.example', '192.0.2.7', '2001:db8::7'];

interface Site {
  authority: CertificateAndKey;
  server: CertificateAndKey;
}

/** Made once: a key of 3072 bits costs half a second. */
const site: Promise<Site> = (async () => {
  const world = { now: new Date(), random };
  const authority = await makeAuthority(world, 'PenguinDome of a test');
  return { authority, server: await makeServerCertificate(world, authority, NAMES) };
})();

async function onDisk(t: ExecutionContext): Promise<string> {
  const folder = await scratchFolder(t);
  const { authority, server } = await site;
  await writeFile(join(folder, 'ca.crt'), authority.certificate);
  await writeFile(join(folder, 'server.crt'), server.certificate);
  return folder;
}

withOpenssl('openssl verifies the server certificate for each of its names, as a server only', async (t) => {
  const folder = await onDisk(t);
  const verify = (...args: string[]) =>
    run(OPENSSL, ['verify', '-x509_strict', '-CAfile', 'ca.crt', '-purpose', 'sslserver', ...args, 'server.crt'], {
      cwd: folder,
    });
  for (const name of ['penguins.example', 'localhost']) {
    t.is((await verify('-verify_hostname', name)).stdout, 'server.crt: OK\n', name);
  }
  for (const ip of ['192.0.2.7', '2001:db8::7', '127.0.0.1', '::1']) {
    t.is((await verify('-verify_ip', ip)).stdout, 'server.crt: OK\n', ip);
  }
  await t.throwsAsync(verify('-verify_hostname', 'other.example'));
  await t.throwsAsync(verify('-purpose', 'sslclient'));
});

withOpenssl('the authority may sign servers, and no further authority', async (t) => {
  const folder = await onDisk(t);
  const { stdout } = await run(OPENSSL, ['x509', '-in', 'ca.crt', '-noout', '-text'], { cwd: folder });
  t.regex(stdout, /Public-Key: \(3072 bit\)/);
  t.regex(stdout, /Basic Constraints: critical\n\s+CA:TRUE, pathlen:0/);
  t.regex(stdout, /Key Usage: critical\n\s+Certificate Sign, CRL Sign/);
  t.regex(stdout, /sha256WithRSAEncryption/);
  const { stdout: leaf } = await run(OPENSSL, ['x509', '-in', 'server.crt', '-noout', '-text'], { cwd: folder });
  t.regex(leaf, /Public-Key: \(2048 bit\)/);
  t.regex(leaf, /Extended Key Usage:[^\n]*\n\s+TLS Web Server Authentication\n/);
  t.regex(leaf, /CA:FALSE/);
});

withOpenssl('an authority below this one is not believed', async (t) => {
  const folder = await onDisk(t);
  const { server } = await site;
  const world = { now: new Date(), random };
  // signs with a key and a certificate that are a server's
  const leaf = await makeServerCertificate(world, server, ['victim.example']);
  await writeFile(join(folder, 'leaf.crt'), leaf.certificate);
  await t.throwsAsync(
    run(OPENSSL, ['verify', '-CAfile', 'ca.crt', '-untrusted', 'server.crt', 'leaf.crt'], { cwd: folder }),
    { message: /invalid CA certificate/ },
  );
});

test('both are dated back by a day, and end after ten years and 397 days', async (t) => {
  const { authority, server } = await site;
  const ca = readCertificate(authority.certificate);
  const leaf = readCertificate(server.certificate);
  const age = Date.now() - leaf.validFrom.getTime();
  t.true(age >= DAY && age < DAY * 1.1, String(age));
  t.is(ca.validTo.getTime() - ca.validFrom.getTime(), 3650 * DAY);
  t.is(leaf.validTo.getTime() - leaf.validFrom.getTime(), 397 * DAY);
  t.is(leaf.subject, 'CN=penguins.example');
  t.true(leaf.names.includes('IP Address:192.0.2.7'));
});

test('serials are positive, of 16 bytes, and differ', async (t) => {
  const low: Random = { ...random, bytes: (count) => new Uint8Array(count) };
  const high: Random = { ...random, bytes: (count) => new Uint8Array(count).fill(255) };
  const { authority } = await site;
  const serials = await Promise.all(
    [low, high, random, random].map(async (bytes) => {
      const made = await makeServerCertificate({ now: new Date(), random: bytes }, authority, ['x']);
      return new X509Certificate(made.certificate).serialNumber;
    }),
  );
  for (const serial of serials) t.regex(serial, /^[4-7][0-9A-F]{31}$/);
  t.is(new Set(serials).size, 4);
});

test('a fingerprint is the SHA-256 of the DER', async (t) => {
  const { server } = await site;
  const colons = new X509Certificate(server.certificate).fingerprint256;
  t.is(certificateFingerprint(server.certificate), colons.replaceAll(':', '').toLowerCase());
});

test('a key fits its own certificate and no other', async (t) => {
  const { authority, server } = await site;
  t.true(keyFits(server.certificate, server.key));
  t.false(keyFits(server.certificate, authority.key));
  t.throws(() => readCertificate('no certificate'));
});

async function serve(t: ExecutionContext, { certificate, key }: CertificateAndKey): Promise<number> {
  const server = createServer({ cert: certificate, key, minVersion: 'TLSv1.2' }, (socket) => socket.end('hello'));
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function handshake(port: number, ca: string, servername: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', ca, servername }, () => resolve(socket));
    socket.on('error', reject);
  });
}

test('a real TLS handshake succeeds by name, and fails for another name or another authority', async (t) => {
  const { authority, server } = await site;
  const port = await serve(t, server);
  const socket = await handshake(port, authority.certificate, 'penguins.example');
  t.true(socket.authorized);
  t.is(socket.getProtocol(), 'TLSv1.3');
  socket.destroy();
  await t.throwsAsync(handshake(port, authority.certificate, 'other.example'), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
  const other = await makeAuthority({ now: new Date(), random }, 'Another');
  await t.throwsAsync(handshake(port, other.certificate, 'penguins.example'), {
    message: /unable to (verify|get)/,
  });
});

test('a real HTTPS request to the bare address succeeds', async (t) => {
  const { authority, server } = await site;
  const https = createHttpsServer({ cert: server.certificate, key: server.key }, (_, response) =>
    response.end('hello'),
  );
  await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve));
  t.teardown(() => https.close());
  const address = https.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { get } = await import('node:https');
  const status = await new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, ca: authority.certificate, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });
  t.is(status, 200);
});
