import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { Order, OrderReport, OrderTarget } from '../../src/core/order.ts';
import type { Store } from '../../src/store/port.ts';
import { type Manifest, readManifest } from '../../src/wire/v2/order.ts';
import { aReport, enrolledHost } from '../support/documents.ts';
import { type SiteInProcess, siteInProcess } from './site-in-process.ts';

/** Keeps what is done one at a time from being done, until `release`. */
export async function holdLock({
  config,
}: SiteInProcess): Promise<{ waiting(count: number): Promise<void>; release(): Promise<void> }> {
  const lock = `${config}.lock`;
  await writeFile(lock, `${process.pid}\n`);
  const count = async () => {
    const names = await readdir(dirname(lock));
    return names.filter((name) => name.startsWith(`${basename(lock)}.`)).length;
  };
  return {
    waiting: async (wanted) => {
      while ((await count()) < wanted) await sleep(20);
    },
    release: () => rm(lock),
  };
}

export interface OrdersSite extends SiteInProcess {
  db: Store;
  /** all that is stored, oldest first */
  orders(): Promise<{ order: Order; manifest: Manifest; targets: OrderTarget[] }[]>;
  /** the only one */
  only(t: ExecutionContext): Promise<{ order: Order; manifest: Manifest; targets: OrderTarget[] }>;
  /** Writes a file beside the site's. @returns its path */
  file(name: string, content: string, mode?: number): Promise<string>;
  /** What a host says became of an order. */
  reports(hostname: string, report: Pick<OrderReport, 'order' | 'state'> & Partial<OrderReport>): Promise<void>;
}

/** A site with hosts of v2 that have reported, and (`v1`) hosts that only the original client reported. */
export async function ordersSite(
  t: ExecutionContext,
  { v2 = ['lap-17', 'lap-18', 'desk-1'], v1 = [] }: { v2?: string[]; v1?: string[] } = {},
): Promise<OrdersSite> {
  const site = await siteInProcess(t);
  const db = await site.store(t);
  const ids = new Map<string, Awaited<ReturnType<typeof enrolledHost>>['identity']['host_id']>();
  for (const hostname of v2) {
    const host = await enrolledHost(db, { hostname });
    ids.set(hostname, host.identity.host_id);
    await db.hosts.storeReport(aReport(host));
  }
  for (const hostname of v1) await db.hosts.storeV1({ hostname, at: new Date(), plugins: {}, trail: [] });
  const orders = async () => {
    const found: { order: Order; manifest: Manifest; targets: OrderTarget[] }[] = [];
    for await (const { counts: _counts, ...order } of db.orders.list()) {
      const read = readManifest(order.manifest);
      if (!read.ok) throw new Error(read.reason);
      const targets: OrderTarget[] = [];
      for await (const target of db.orders.targets({ order: order.id })) targets.push(target);
      found.push({ order, manifest: read.value, targets });
    }
    return found.reverse();
  };
  let number = 0;
  return {
    ...site,
    db,
    orders,
    only: async (context) => {
      const [one, ...others] = await orders();
      if (one === undefined) throw new Error('there is no order');
      context.is(others.length, 0);
      return one;
    },
    file: async (name, content, mode = 0o755) => {
      const path = join(dirname(site.folder), name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
      await chmod(path, mode);
      return path;
    },
    reports: async (hostname, report) => {
      const host_id = ids.get(hostname);
      if (host_id === undefined) throw new Error(`no host ${hostname}`);
      await db.orders.markFetched([report.order], { host_id, hostname }, new Date());
      if ((await db.orders.report(host_id, { number: ++number, at: new Date(), ...report })) !== 'kept') {
        throw new Error(`the store does not take what ${hostname} reports`);
      }
    },
  };
}
