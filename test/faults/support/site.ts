import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parse, stringify } from 'yaml';
import { loadSigningKey, type SigningKey } from '../../../src/crypto/ed25519.ts';
import type { StoreSettings } from '../../../src/settings/server-settings.ts';
import { freePort } from '../../support/free-port.ts';
import { succeed } from '../../support/penguindome.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { fleetKey } from '../../support/v1-client.ts';

/** What `penguindome setup` made, with a store, ports and a folder of one test's own. */
export interface InstalledSite {
  config: string;
  state: string;
  store: StoreSettings;
  /** TLS, as agents come */
  url: string;
  /** the same without TLS, for what must see what passes */
  plainUrl: string;
  ca: string;
  answerKey: SigningKey;
}

let common: Promise<string> | undefined;

/** Keys take seconds to make: one set for each file of tests. */
function setupOnce(): Promise<string> {
  common ??= (async () => {
    const dir = await mkdtemp(join(process.env['PENGUINDOME_TEST_SCRATCH'] ?? tmpdir(), 'site-'));
    const client = join(dir, 'v1-client.asc');
    await writeFile(client, fleetKey.publicKey);
    await succeed(['setup', '--yes', '--dir', dir, '--public-url', 'https://127.0.0.1:8443', '--v1', client]);
    return dir;
  })();
  return common;
}

test.after.always('the site of this file goes', async () => {
  if (common !== undefined) await rm(await common, { recursive: true, force: true });
});

/** @param settings over those that setup wrote */
export async function installSite(
  t: ExecutionContext,
  store: StoreSettings,
  settings: Record<string, unknown> = {},
): Promise<InstalledSite> {
  const dir = await setupOnce();
  const state = join(await scratchFolder(t), 'state');
  const [port, plain] = [await freePort(), await freePort()];
  const made: Record<string, unknown> = parse(await readFile(join(dir, 'server.yml'), 'utf8'));
  const tls = { certificate: join(dir, 'state/tls/server.crt'), key: join(dir, 'state/tls/server.key') };
  const config = join(dir, `server-${port}.yml`);
  const complete = {
    ...made,
    ports: [
      { port, host: '127.0.0.1', tls },
      { port: plain, host: '127.0.0.1', tls: false },
    ],
    local_port: await freePort(),
    store,
    state,
    log: { level: 'debug' },
    limits: { enroll_rate: 60_000 },
    ...settings,
  };
  await writeFile(config, stringify(complete));
  return {
    config,
    state: String(complete.state),
    store,
    url: `https://127.0.0.1:${port}`,
    plainUrl: `http://127.0.0.1:${plain}`,
    ca: await readFile(join(dir, 'pki/ca.crt'), 'utf8'),
    answerKey: loadSigningKey(await readFile(join(dir, 'keys/answer.key'), 'utf8')),
  };
}
