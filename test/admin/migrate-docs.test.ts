import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { loadServerSettings } from '../../src/settings/load-server-settings.ts';
import { loadStorePassword } from '../../src/settings/server-secrets.ts';
import { openStore } from '../../src/store/open.ts';
import { anEnrollment } from '../support/documents.ts';
import { hasGpg } from '../support/gpg.ts';
import { whenPresent } from '../support/needs.ts';
import { realClock, realRandom } from '../support/world.ts';
import { siteWithOriginal } from './original/site.ts';

const run = promisify(execFile);

whenPresent(
  hasGpg && process.env['PENGUINDOME_TEST_MONGO_STANDALONE'] !== undefined,
  'docs/migrate.md: no /usr/bin/gpg, or no mongod',
)('every command line of docs/migrate.md works, one after the other', async (t) => {
  const site = await siteWithOriginal(t);
  const lines = (await readFile('docs/migrate.md', 'utf8')).match(/^ {4}penguindome.*$/gm) ?? [];
  t.true(lines.length >= 8);
  for (const line of lines) {
    const [program = '', ...args] = line.trim().split(/ +/);
    const given = args.map((arg) => (arg === '/opt/penguindome' ? site.original : arg));
    // a host, and somebody to ask, there would be
    if (line.includes('enrollment approve')) {
      await enrolAs(site.config, args.at(-1) ?? '');
      given.push('--yes');
    }
    const done = await run(process.execPath, [`build/${program}`, '--config', site.config, ...given]);
    t.true(done.stdout.length + done.stderr.length > 0, line);
  }
});

async function enrolAs(config: string, hostname: string): Promise<void> {
  const { store: settings } = await loadServerSettings(config);
  const password = await loadStorePassword(settings, undefined);
  const world = { clock: realClock, random: realRandom };
  const store = await openStore(settings, password === undefined ? world : { ...world, password });
  try {
    await store.enrollments.insert(anEnrollment({ hostname, conflict: 'v1' }));
  } finally {
    await store.close();
  }
}
