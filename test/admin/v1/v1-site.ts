import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { Command } from 'commander';
import type { AdminContext } from '../../../src/admin/context.ts';
import { type OriginalClient, originalClient } from '../../support/original-client.ts';
import { fixtureClientKey, startTestServer, type TestServer } from '../../support/server.ts';
import type { StoreKind } from '../../support/stores.ts';
import { type AdminSite, adminSite, NOW } from '../admin-site.ts';

/** A site that has taken over an original's keys, with its server. */
export interface V1Site extends AdminSite {
  server: TestServer;
  /** Does something as a command would. */
  with<T>(work: (context: AdminContext) => Promise<T>): Promise<T>;
  client(hostname: string): Promise<OriginalClient>;
}

export async function v1Site(t: ExecutionContext, kind: StoreKind = 'embedded', own: object = {}): Promise<V1Site> {
  const site = await adminSite(t, kind, { v1: { enabled: true } });
  await copyFile('test/fixtures/penguindome-v1/server-secret.asc', join(site.folder, 'keys/v1-server.asc'));
  const server = await startTestServer(t, {
    store: site.store,
    clock: site.clock,
    settings: { state: join(site.folder, 'state'), ...own },
    v1Keys: await fixtureClientKey(),
  });
  return {
    ...site,
    server,
    async with(work) {
      const results: Awaited<ReturnType<typeof work>>[] = [];
      await site.run((context) => new Command('x').action(async () => void results.push(await work(context))));
      const [result] = results;
      if (result === undefined) throw new Error('the work gave nothing');
      return result;
    },
    client: (hostname) => originalClient(t, { url: server.url, hostname, now: NOW }),
  };
}
