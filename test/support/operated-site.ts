import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/port.ts';
import { aReport, enrolledHost } from './documents.ts';
import { penguindome, type Ran, succeed } from './penguindome.ts';
import { scratchFolder } from './scratch.ts';
import { realClock, realRandom } from './world.ts';

/** What `penguindome setup` makes, for the built program to work on. */
export interface OperatedSite {
  dir: string;
  config: string;
  log: string;
  head: string;
  run(...args: string[]): Promise<Ran>;
  /** the same, where it has to succeed. @returns standard output */
  succeed(...args: string[]): Promise<string>;
  json(...args: string[]): Promise<unknown>;
}

/** @param hosts that have enrolled and reported */
export async function operatedSite(t: ExecutionContext, hosts: readonly string[] = []): Promise<OperatedSite> {
  const dir = join(await scratchFolder(t), 'site');
  await succeed(['setup', '--yes', '--dir', dir, '--host-name', 'dome.example']);
  await withStore(dir, async (store) => {
    for (const hostname of hosts) await store.hosts.storeReport(aReport(await enrolledHost(store, { hostname })));
  });
  const config = join(dir, 'server.yml');
  const whole = (args: string[]) => ['--config', config, ...args];
  return {
    dir,
    config,
    log: join(dir, 'state/operator.log'),
    head: join(dir, 'pki/operator-log.head'),
    run: (...args) => penguindome(whole(args)),
    succeed: (...args) => succeed(whole(args)),
    json: async (...args) => JSON.parse(await succeed(whole(['--json', ...args]))),
  };
}

/** The site's store, while nobody else needs it. */
export async function withStore(dir: string, work: (store: Store) => Promise<void>): Promise<void> {
  const file = join(dir, 'store/penguindome.db');
  const store = await openStore({ kind: 'embedded', file }, { clock: realClock, random: realRandom });
  try {
    await work(store);
  } finally {
    await store.close();
  }
}
