import { X509Certificate } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import * as z from 'zod';
import { type CertificateAndKey, makeAuthority, makeServerCertificate } from '../../src/crypto/certificates.ts';
import { loadServerSettings } from '../../src/settings/load-server-settings.ts';
import { whenPresent } from '../support/needs.ts';
import { hasOpenssl, opensslCertificate } from '../support/openssl.ts';
import { realRandom } from '../support/world.ts';
import { type SiteInProcess, siteInProcess } from './site-in-process.ts';

const withOpenssl = whenPresent(hasOpenssl, 'ports with certificates of your own: no /usr/bin/openssl');

const certificate = z.object({
  certificate: z.string(),
  key: z.string(),
  fingerprint: z.string(),
  names: z.array(z.string()),
  signed_by: z.string(),
});
const listed = z.object({
  ports: z.array(
    z.object({
      port: z.number(),
      address: z.string().nullable(),
      tls: z.boolean(),
      deprecated: z.boolean(),
      public: z.boolean(),
      certificates: z.array(certificate),
    }),
  ),
});

const list = async (site: SiteInProcess) => listed.parse(await site.json('ports', 'list')).ports;
const OWN = ['localhost', '127.0.0.1', '0:0:0:0:0:0:0:1'];

/** A certificate of the time when the CA of a site was made elsewhere: the site's own key is not needed. */
async function write(site: SiteInProcess, name: string, pem: CertificateAndKey): Promise<string[]> {
  const files = { certificate: join(site.folder, `${name}.pem`), key: join(site.folder, `${name}.key`) };
  await writeFile(files.certificate, pem.certificate);
  await writeFile(files.key, pem.key);
  return ['--certificate', files.certificate, '--certificate-key', files.key];
}

async function authorityOf(site: SiteInProcess): Promise<CertificateAndKey> {
  const [certificate, key] = await Promise.all(
    ['ca.crt', 'ca.key'].map((name) => readFile(join(site.folder, 'pki', name), 'utf8')),
  );
  return { certificate: certificate ?? '', key: key ?? '' };
}

async function issue(site: SiteInProcess, names: string[], now = new Date()): Promise<CertificateAndKey> {
  return makeServerCertificate({ now, random: realRandom }, await authorityOf(site), names);
}

const renewedBy = z.object({ changed: z.boolean(), renewed: z.array(z.object({ port: z.string() })).optional() });

test("what ends soon and is by the site's CA is renewed for the same names, once; what is somebody else's is left alone", async (t) => {
  const site = await siteInProcess(t);
  t.is(await site.ok('ports', 'renew'), "no certificate by the site's CA ends soon\n");

  const old = await issue(site, ['dome.example.org', 'other.example.org'], new Date(Date.now() - 380 * 86_400_000));
  await writeFile(join(site.folder, 'state/tls/server.crt'), old.certificate);
  await writeFile(join(site.folder, 'state/tls/server.key'), old.key);
  const random = realRandom;
  const elsewhere = await makeAuthority({ now: new Date(), random }, 'another CA');
  const soon = new Date(Date.now() - 380 * 86_400_000);
  const foreign = await makeServerCertificate({ now: soon, random }, elsewhere, ['dome.example.org']);
  await site.ok('ports', 'add', '9443', ...(await write(site, 'foreign', foreign)));
  const [, before] = await list(site);

  t.like(renewedBy.parse(await site.json('ports', 'renew')), { changed: true, renewed: [{ port: '8443' }] });
  const [renewed, after] = await list(site);
  t.like(renewed?.certificates[0], { signed_by: 'site', names: ['dome.example.org', 'other.example.org', ...OWN] });
  const pem = await readFile(renewed?.certificates[0]?.certificate ?? '', 'utf8');
  t.true(new Date(new X509Certificate(pem).validTo).getTime() > Date.now() + 390 * 86_400_000);
  t.deepEqual(after, before);
  t.false(renewedBy.parse(await site.json('ports', 'renew')).changed);
  t.is(renewedBy.parse(await site.json('ports', 'renew', '--within', '9999d')).renewed?.length, 1, 'each once a run');
  t.regex(await site.refused(t, 'ports', 'renew', '--within', 'soon'), /such as 30d/);
});

test('a certificate that settings name in the folder of the CA, where they were at first, is renewed into the folder of certificates', async (t) => {
  const site = await siteInProcess(t);
  for (const name of ['server.crt', 'server.key'])
    await rename(join(site.folder, 'state/tls', name), join(site.folder, 'pki', name));
  await writeFile(site.config, (await site.settings()).replaceAll('state/tls/server.', 'pki/server.'));
  const names = (await list(site))[0]?.certificates[0]?.names;
  t.is(await site.ok('ports', 'renew'), "no certificate by the site's CA ends soon\n");
  await site.ok('ports', 'renew', '--within', '9999d');
  const [renewed] = await list(site);
  t.like(renewed?.certificates[0], { signed_by: 'site', names });
  t.is(dirname(renewed?.certificates[0]?.key ?? ''), join(site.folder, 'state/tls'));
});

test('a link in the place of the folder of certificates is not followed', async (t) => {
  const site = await siteInProcess(t);
  const [folder, elsewhere] = [join(site.folder, 'state/tls'), join(site.folder, 'elsewhere')];
  await rename(folder, elsewhere);
  await symlink(elsewhere, folder);
  const before = await readdir(elsewhere);
  t.regex(
    await site.refused(t, 'ports', 'certificate', '8443'),
    /cannot use .*state\/tls: expected a folder, found something/,
  );
  t.deepEqual(await readdir(elsewhere), before);
});

test('the list shows what each port shows, and to whom', async (t) => {
  const site = await siteInProcess(t);
  const pem = await readFile(join(site.folder, 'state/tls/server.crt'), 'utf8');
  const { fingerprint256, validTo } = new X509Certificate(pem);
  const fingerprint = fingerprint256.replaceAll(':', '').toLowerCase();
  t.like((await list(site))[0], {
    ...{ port: 8443, address: null, tls: true, deprecated: false, public: true },
    certificates: [{ fingerprint, signed_by: 'site', names: ['dome.example.org', ...OWN] }],
  });
  const [heading = '', row = ''] = (await site.ok('ports', 'list')).split('\n');
  t.regex(heading, /^PORT +STATE +SUBJECT +NAMES +ENDS +ISSUER +FINGERPRINT$/);
  const end = new Date(validTo).toISOString().slice(0, 10);
  t.regex(
    row,
    new RegExp(`^8443 +TLS, in public_url +CN=dome\\.example\\.org +.*${end}.* CN=PenguinDome CA.*${fingerprint}$`),
  );
  await writeFile(join(site.folder, 'state/tls/server.crt'), 'no certificate');
  t.regex(await site.ok('ports', 'list'), /8443 .*cannot be read: /);
});

test("a port is added with a certificate by the CA, or plain; comments and order stay, the key is nobody else's", async (t) => {
  const site = await siteInProcess(t);
  const before = await site.settings();
  t.regex(await site.ok('ports', 'add', '9443'), /^port 9443 is added \(certificate [0-9a-f]{64}, until /);
  await site.ok('ports', 'add', '8080', '--address', '127.0.0.1', '--no-tls');
  const [, tls, plain] = await list(site);
  t.like(tls, { port: 9443, tls: true, certificates: [{ signed_by: 'site', names: ['dome.example.org', ...OWN] }] });
  t.like(plain, { port: 8080, address: '127.0.0.1', tls: false, certificates: [] });
  const [made] = tls?.certificates ?? [];
  t.is((await stat(made?.key ?? '')).mode & 0o777, 0o600);
  const name = `state/tls/port-9443-${made?.fingerprint.slice(0, 12)}`;
  const added = [
    ...['  - port: 9443', '    tls:', `      certificate: ${name}.crt`, `      key: ${name}.key`],
    ...['  - port: 8080', '    host: 127.0.0.1', '    tls: false'],
  ];
  t.is(
    await site.settings(),
    before.replace('    deprecated: false\n', `    deprecated: false\n${added.join('\n')}\n`),
  );
});

test('what cannot be added is refused, and leaves no files', async (t) => {
  const site = await siteInProcess(t);
  const files = () => readdir(join(site.folder, 'state/tls'));
  const before = await files();
  t.regex(await site.refused(t, 'ports', 'add', '8443'), /cannot add port 8443: it is there/);
  t.regex(await site.refused(t, 'ports', 'add', '5000'), /ports\.1\.port: expected a port of its own, found 5000/);
  for (const [args, why] of [
    [['0'], /Expected a port from 1 to 65535/],
    [['99999'], /expected a port from 0 to 65535/],
    [['9443', '--address', 'here'], /Expected an address/],
    [['9443', '--host-name', 'a b'], /expected a host name or an address/],
    [['9443', '--no-tls', '--host-name', 'a'], /cannot use --no-tls together with a certificate/],
    [['9443', '--certificate', 'x'], /cannot use --certificate without --certificate-key/],
  ] as const) {
    t.regex(await site.refused(t, 'ports', 'add', ...args), why);
    t.is((await site.run('ports', 'add', ...args)).status, 2);
  }
  t.deepEqual(await files(), before);
});

test('a renewal by the CA is for the same names, under new files; the old ones stay', async (t) => {
  const site = await siteInProcess(t);
  const [before] = await list(site);
  const { out, err } = await site.run('ports', 'certificate', '8443');
  const [after] = await list(site);
  const [was, is] = [before?.certificates[0], after?.certificates[0]];
  t.not(is?.fingerprint, was?.fingerprint);
  t.deepEqual(is?.names, was?.names);
  t.true(out.includes(is?.fingerprint ?? '-'));
  t.regex(err, /systemctl reload penguindome-server\n.*Not used by this port any more: .*state\/tls\/server\.crt/s);
  t.true((await readdir(join(site.folder, 'state/tls'))).includes('server.crt'));
  await site.ok('ports', 'certificate', '8443', '--host-name', 'dome.example.org', '--host-name', '192.0.2.7');
  t.deepEqual((await list(site))[0]?.certificates[0]?.names, ['dome.example.org', '192.0.2.7', ...OWN]);
  t.regex(await site.settings(), /^ {4}# host: 192\.0\.2\.1 /m, 'a comment in the middle of the port');
  t.regex(
    await site.refused(t, 'ports', 'certificate', '8443', '--host-name', 'x.example'),
    /agents come there for dome\.example\.org/,
  );
});

test('a certificate that is gone, or that is none, can be replaced', async (t) => {
  const site = await siteInProcess(t);
  await writeFile(join(site.folder, 'state/tls/server.crt'), 'no certificate');
  await site.ok('ports', 'certificate', '8443');
  const [port] = await list(site);
  t.like(port, { certificates: [{ signed_by: 'site', names: ['dome.example.org', ...OWN] }] });
  await rm(port?.certificates[0]?.certificate ?? '');
  await site.ok('ports', 'certificate', '8443');
  t.like((await list(site))[0], { certificates: [{ signed_by: 'site' }] });
});

test('given files must fit: key, chain, dates, names, and what agents trust', async (t) => {
  const site = await siteInProcess(t);
  const days = (count: number) => new Date(Date.now() + count * 86_400_000);
  const good = await issue(site, ['dome.example.org']);
  const other = await makeAuthority({ now: new Date(), random: realRandom }, 'another CA');
  const foreign = await makeServerCertificate({ now: new Date(), random: realRandom }, other, ['dome.example.org']);
  const cases: [string, CertificateAndKey, RegExp][] = [
    ['another key', { ...good, key: foreign.key }, /the key is not the key of this certificate/],
    ['no certificate', { ...good, certificate: 'x' }, /it holds no certificate in PEM/],
    ['no key', { ...good, key: 'x' }, /cannot use .* with .*: /],
    [
      'broken chain',
      { ...good, certificate: good.certificate + other.certificate },
      /its chain is broken: certificate 1/,
    ],
    ['ended', await issue(site, ['dome.example.org'], days(-400)), /it ended on /],
    ['not yet', await issue(site, ['dome.example.org'], days(5)), /it is not valid before /],
    ['another name', await issue(site, ['x.example']), /it is for x\.example, .*, not for dome\.example\.org/],
    ['another CA', foreign, /agents trust the present one by the site's CA, and would refuse this one/],
  ];
  for (const [what, pem, why] of cases) {
    const files = await write(site, what.replaceAll(' ', '-'), pem);
    t.regex(await site.refused(t, 'ports', 'certificate', '8443', ...files), why, what);
  }
  const files = await write(site, 'foreign', foreign);
  await site.ok('ports', 'certificate', '8443', '--force', ...files);
  t.like((await list(site))[0], { certificates: [{ certificate: files[1], signed_by: 'other' }] });
  t.regex(
    await site.refused(t, 'ports', 'certificate', '8443', ...(await write(site, 'good', good))),
    /by a CA that is not the site's/,
  );
  const { err } = await site.run('ports', 'certificate', '8443', ...files);
  t.regex(err, /The server reads the files again when it is reloaded/, 'the same files, which may hold something new');
});

withOpenssl('several certificates: beside, replaced, dropped; one that nobody would see is refused', async (t) => {
  const site = await siteInProcess(t);
  const by = { certificate: join(site.folder, 'pki/ca.crt'), key: join(site.folder, 'pki/ca.key') };
  const make = async (name: string, kind: 'ec' | 'rsa', names: string[], usage?: string) => {
    const files = await opensslCertificate(site.folder, {
      name,
      kind,
      names,
      by,
      ...(usage === undefined ? {} : { usage }),
    });
    return ['--certificate', files.certificate, '--certificate-key', files.key];
  };
  const beside = (...args: string[]) => ['ports', 'certificate', '8443', '--beside', ...args];
  t.regex(await site.refused(t, ...beside()), /no client would see it; put it on another port/);
  const client = await make('client', 'ec', ['dome.example.org'], 'clientAuth');
  t.regex(await site.refused(t, ...beside(...client)), /it is not for servers/);
  await site.ok(...beside(...(await make('twin', 'ec', ['dome.example.org', 'localhost']))));
  await site.ok(...beside('--host-name', 'other.example.org'));
  const names = async () => (await list(site))[0]?.certificates.map((each) => each.names[0]) ?? [];
  t.deepEqual(await names(), ['dome.example.org', 'dome.example.org', 'other.example.org']);
  const settings = await loadServerSettings(site.config);
  t.is(settings.ports[0]?.tls !== false && settings.ports[0]?.tls.also?.length, 2);

  const prints = async () => (await list(site))[0]?.certificates.map(({ fingerprint }) => fingerprint) ?? [];
  const [first = '', twin = '', third = ''] = await prints();
  const third2 = ['--host-name', 'other.example.org', '--host-name', 'third.example.org'];
  await site.ok('ports', 'certificate', '8443', '--replace', third.slice(0, 8), ...third2);
  t.deepEqual((await prints()).slice(0, 2), [first, twin]);
  t.true((await list(site))[0]?.certificates[2]?.names.includes('third.example.org'));
  t.regex(await site.refused(t, 'ports', 'certificate', '8443', '--drop', third), /cannot tell which certificate/);
  t.regex(await site.refused(t, 'ports', 'certificate', '8443', '--drop', first.slice(0, 7)), /cannot tell which/);
  t.regex(
    await site.refused(t, 'ports', 'certificate', '8443', '--drop', first),
    /for other\.example\.org there would be none with a key of the first one's kind \(ec\)/,
  );
  await site.ok('ports', 'certificate', '8443', '--drop', (await prints())[2] ?? '');
  t.deepEqual(await prints(), [first, twin]);
  await site.ok('ports', 'certificate', '8443', '--drop', first);
  t.deepEqual(await prints(), [twin]);
  t.regex(await site.refused(t, 'ports', 'certificate', '8443', '--drop', twin), /cannot drop the only certificate/);
  t.false((await site.settings()).includes('also'));
});

test('a port is removed; not the last one, not that of public_url, not one that hosts still come by, unless forced', async (t) => {
  const site = await siteInProcess(t);
  t.regex(await site.refused(t, 'ports', 'remove', '8443', '--force'), /it is the last one/);
  const before = await site.settings();
  await site.ok('ports', 'add', '9443', '--no-tls');
  t.regex(
    await site.refused(t, 'ports', 'remove', '8443'),
    /agents are told to come there \(https:\/\/dome\.example\.org:8443\)/,
  );
  t.regex(await site.refused(t, 'ports', 'remove', '80'), /cannot find port 80: the server has 8443 and 9443/);
  await site.ok('ports', 'deprecate', '9443');
  const store = await site.store(t);
  await store.issues.open('lap-17', 'deprecated-port', new Date());
  t.regex(await site.refused(t, 'ports', 'remove', '9443'), /lap-17 came by a deprecated port when they last came/);
  await store.issues.close('lap-17', 'deprecated-port', new Date());
  await site.ok('ports', 'remove', '9443');
  t.is(await site.settings(), before);
  await site.ok('ports', 'add', '9443');
  await site.ok('ports', 'remove', '8443', '--force');
  t.deepEqual(
    (await list(site)).map(({ port }) => port),
    [9443],
  );
});

test('a port is marked as deprecated, and the mark is taken away, in its place', async (t) => {
  const site = await siteInProcess(t);
  const before = await site.settings();
  const { out, err } = await site.run('ports', 'deprecate', '8443');
  t.is(out, 'port 8443 is deprecated\n');
  t.regex(err, /New agents are still told to come there: change public_url/);
  t.is(await site.settings(), before.replace('deprecated: false', 'deprecated: true'));
  t.like(await site.json('ports', 'deprecate', '8443'), { changed: false, port: '8443', deprecated: true });
  await site.ok('ports', 'deprecate', '8443', '--undo');
  t.is(await site.settings(), before);
});

test('TLS, address and names of a port are configured; agents are not locked out unless forced', async (t) => {
  const site = await siteInProcess(t);
  const before = await site.settings();
  await site.ok('ports', 'configure', '8443', '--address', '192.0.2.7');
  t.is((await list(site))[0]?.address, '192.0.2.7');
  t.like(await site.json('ports', 'configure', '192.0.2.7:8443', '--address', '192.0.2.7'), { changed: false });
  await site.ok('ports', 'configure', '8443', '--all-addresses');
  t.is(await site.settings(), before);
  t.regex(await site.refused(t, 'ports', 'configure', '8443', '--no-tls'), /agents are told https:\/\/dome/);
  await site.ok('ports', 'configure', '8443', '--no-tls', '--force');
  t.deepEqual((await list(site))[0]?.certificates, []);
  t.regex(await site.refused(t, 'ports', 'certificate', '8443'), /it is plain; penguindome ports configure 8443 --tls/);
  await site.ok('ports', 'configure', '8443', '--tls');
  t.like((await list(site))[0], { tls: true, certificates: [{ signed_by: 'site' }] });
  await site.ok('ports', 'configure', '8443', '--host-name', 'dome.example.org', '--host-name', 'b.example.org');
  t.true((await list(site))[0]?.certificates[0]?.names.includes('b.example.org'));
  t.true((await site.settings()).includes('# host: 192.0.2.1'), 'comments are there');
  for (const args of [[], ['--no-tls', '--host-name', 'x'], ['--address', '192.0.2.7', '--all-addresses']]) {
    t.is((await site.run('ports', 'configure', '8443', ...args)).status, 2);
  }
});

test('two ports of one number are told apart by their addresses', async (t: ExecutionContext) => {
  const site = await siteInProcess(t);
  await site.ok('ports', 'configure', '8443', '--address', '192.0.2.7');
  await site.ok('ports', 'add', '8443', '--address', '2001:db8::7', '--no-tls');
  t.regex(await site.refused(t, 'ports', 'deprecate', '8443'), /192\.0\.2\.7:8443 or \[2001:db8::7\]:8443/);
  await site.ok('ports', 'deprecate', '[2001:db8::7]:8443');
  t.deepEqual(
    (await list(site)).map(({ deprecated }) => deprecated),
    [false, true],
  );
});
