import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import type { ExecutionContext } from 'ava';
import { makeServerCertificate } from '../../src/crypto/certificates.ts';
import { testPki } from '../support/certificates.ts';
import { whenPresent } from '../support/needs.ts';
import { hasOpenssl, opensslCertificate } from '../support/openssl.ts';
import { scratchFolder } from '../support/scratch.ts';
import { startTestServer } from '../support/server.ts';
import { realRandom } from '../support/world.ts';

const withOpenssl = whenPresent(hasOpenssl, 'several certificates on one port: no /usr/bin/openssl');
const PLAIN = { port: 0, host: '127.0.0.1' };

/** A server that shows three certificates of one CA: RSA and EC for dome.example, RSA for other.example. */
async function serving(t: ExecutionContext) {
  const folder = await scratchFolder(t);
  const pki = await testPki(folder);
  const by = { certificate: join(folder, 'ca.crt'), key: join(folder, 'ca.key') };
  await writeFile(by.certificate, pki.authority.certificate);
  await writeFile(by.key, pki.authority.key);
  const issue = (name: string, kind: 'rsa' | 'ec', ...names: string[]) =>
    opensslCertificate(folder, { name, kind, names, by });
  const first = await issue('first', 'rsa', 'dome.example');
  const also = [await issue('twin', 'ec', 'dome.example'), await issue('other', 'rsa', 'other.example')];
  const settings = { ports: [{ ...PLAIN, tls: { ...first, also } }] };
  const server = await startTestServer(t, { settings });
  const shake = async (servername: string | undefined, sigalgs: string, session?: Buffer): Promise<TLSSocket> => {
    const socket = connect({
      host: '127.0.0.1',
      port: Number(new URL(server.url).port),
      ca: pki.authority.certificate,
      sigalgs,
      // Without a name its own check would be of the address.
      checkServerIdentity: () => undefined,
      ...(servername === undefined ? {} : { servername }),
      ...(session === undefined ? {} : { session }),
    });
    t.teardown(() => socket.destroy());
    await once(socket, 'secureConnect');
    t.true(socket.authorized);
    return socket;
  };
  const shown = async (servername: string | undefined, sigalgs: string) => {
    const certificate = (await shake(servername, sigalgs)).getPeerX509Certificate();
    return `${certificate?.publicKey.asymmetricKeyType} ${certificate?.subject}`;
  };
  return { folder, pki, server, settings, shake, shown };
}

const RSA = 'rsa_pss_rsae_sha256:RSA+SHA256';
const EC = 'ECDSA+SHA256';

withOpenssl(
  'one port shows each client the certificate of the name and the kind of key that it asks for',
  async (t) => {
    const { shown } = await serving(t);
    const [RSA_DOME, EC_DOME, RSA_OTHER] = ['rsa CN=dome.example', 'ec CN=dome.example', 'rsa CN=other.example'];
    t.is(await shown('dome.example', RSA), RSA_DOME);
    t.is(await shown('dome.example', EC), EC_DOME);
    t.is(await shown('other.example', RSA), RSA_OTHER);
    t.is(await shown('other.example', `${EC}:${RSA}`), RSA_OTHER);
    t.is(await shown(undefined, RSA), RSA_DOME);
    t.is(await shown('nobody.example', `${EC}:${RSA}`), RSA_DOME);
    t.is(await shown('dome.example', `${EC}:${RSA}`), EC_DOME);
    t.is(await shown('dome.example', `${RSA}:${EC}`), EC_DOME, 'the server has its own order');
    await t.throwsAsync(shown('other.example', EC), undefined, 'there is none of that kind for that name');
  },
);

withOpenssl('a session is resumed whichever certificate began it, and not once any of them has changed', async (t) => {
  const { folder, pki, server, settings, shake } = await serving(t);
  for (const name of ['dome.example', 'other.example']) {
    const socket = await shake(name, RSA);
    const [ticket]: Buffer[] = await once(socket, 'session');
    t.true((await shake(name, RSA, ticket)).isSessionReused(), name);
    const made = await makeServerCertificate({ now: new Date(), random: realRandom }, pki.authority, ['other.example']);
    await writeFile(join(folder, 'other.pem'), made.certificate);
    await writeFile(join(folder, 'other.key'), made.key);
    t.true(await server.reload(settings));
    t.false((await shake(name, RSA, ticket)).isSessionReused(), name);
  }
  t.is(server.events('server.certificate-changed').length, 2);
});

withOpenssl('one of several that cannot be read leaves all as they were', async (t) => {
  const { folder, server, settings, shown } = await serving(t);
  await writeFile(join(folder, 'other.key'), await readFile(join(folder, 'first.key')));
  t.false(await server.reload(settings));
  t.regex(String(server.events('server.reload-failed')[0]?.['reason']), /cannot use the certificate .*other\.pem/);
  t.is(await shown('other.example', RSA), 'rsa CN=other.example');
});
