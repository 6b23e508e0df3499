import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { whenPresent } from '../support/needs.ts';
import { hasOpenssl, opensslCertificate } from '../support/openssl.ts';
import { penguindome } from '../support/penguindome.ts';
import { type SiteInProcess, siteInProcess } from './site-in-process.ts';

const withOpenssl = whenPresent(hasOpenssl, 'docs/ports.md: no /usr/bin/openssl');

/** The command lines of a page that begin with `penguindome`, words taken apart as a shell does it. */
async function commandLines(page: string): Promise<string[][]> {
  const text = await readFile(`docs/${page}`, 'utf8');
  const lines = [...text.matchAll(/^ {4}penguindome ([^#\n]*)/gm)].map(([, line]) => line?.trim() ?? '');
  return lines.map((line) => [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? ''));
}

/** In the order of the page, each on what those before it have made. */
async function runPage(
  t: ExecutionContext,
  site: SiteInProcess,
  page: string,
  word: (word: string) => Promise<string>,
) {
  const lines = await commandLines(page);
  for (const line of lines) {
    const args = await Promise.all(line.map(word));
    // What needs the product's own checks, which lie beside the built program.
    const { status, err } =
      args[0] === 'issues'
        ? await penguindome(['--config', site.config, ...args]).then((ran) => ({ status: ran.status, err: ran.stderr }))
        : await site.run(...args);
    t.is(status, 0, `penguindome ${args.join(' ')}: ${err}`);
  }
  return lines.length;
}

withOpenssl('every command line of docs/ports.md does what the page says it does', async (t) => {
  const site = await siteInProcess(t);
  const ssl = join(site.folder, 'ssl');
  await mkdir(ssl);
  const by = { certificate: join(site.folder, 'pki/ca.crt'), key: join(site.folder, 'pki/ca.key') };
  const names = ['dome.example.org', 'localhost'];
  for (const [name, kind] of [
    ['dome', 'rsa'],
    ['dome-ec', 'ec'],
  ] as const) {
    await opensslCertificate(ssl, { name, kind, names, by });
  }
  const lastOf = async (): Promise<string> => {
    const found = [...(await site.ok('ports', 'list')).matchAll(/[0-9a-f]{64}$/gm)].map(([print]) => print);
    return found[1] ?? '';
  };
  const word = async (text: string) => (text === 'FINGERPRINT' ? lastOf() : text.replace('/etc/ssl', ssl));
  t.true((await runPage(t, site, 'ports.md', word)) >= 20);
});

test('every command line of docs/client-settings.md works', async (t) => {
  const site = await siteInProcess(t);
  const store = await site.store(t);
  await store.hosts.storeV1({ hostname: 'lap-17', plugins: {}, at: new Date(), trail: [] });
  t.true((await runPage(t, site, 'client-settings.md', async (text) => text)) > 6);
});
