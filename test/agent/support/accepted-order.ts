import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Accepted } from '../../../src/agent/orders/accepted.ts';
import { actOn } from '../../../src/agent/orders/act-on.ts';
import { openResults } from '../../../src/agent/orders/results.ts';
import { type RunKit, runOrder } from '../../../src/agent/orders/run-order.ts';
import { makeOrders, type Places } from '../../../src/agent/places.ts';
import type { OrderReport, Receipt } from '../../../src/core/order.ts';
import type { Clock } from '../../../src/core/world.ts';
import { type Manifest, ORDER_TYPE, writeManifest } from '../../../src/wire/v2/order.ts';
import { realClock, realRandom } from '../../support/world.ts';

export type Order = {
  [K in Manifest['kind']]: Omit<Extract<Manifest, { kind: K }>, keyof typeof COMMON | 'files'>;
}[Manifest['kind']];
/** path → content, and its mode where that is not 0755 */
export type Content = Record<string, string | Uint8Array | { text: string; mode: number }>;

const COMMON = { type: ORDER_TYPE, id: '', made_at: '', expires_at: '', by: 'tester', why: 'a test' } as const;
const TARGETS = [{ host_id: '01890a5d-ac96-774b-bcce-b302099a8057', hostname: 'testhost' }];

export const targets = { targets: TARGETS };

/** An order as it lies on the disk when it has been accepted. */
export async function acceptedOrder(places: Places, order: Order, content: Content = {}): Promise<Accepted> {
  await makeOrders(places);
  const id = realRandom.uuid();
  const files = Object.entries(content).map(([path, one]) => {
    const { text, mode } = typeof one === 'object' && 'text' in one ? one : { text: one, mode: 0o755 };
    const bytes = Buffer.from(text);
    return {
      bytes,
      file: { path, mode, sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.length },
    };
  });
  const at = Date.now();
  const manifest = {
    ...COMMON,
    ...order,
    id,
    made_at: new Date(at).toISOString(),
    expires_at: new Date(at + 3_600_000).toISOString(),
    files: files.map(({ file }) => file),
  } as Manifest;
  const folder = join(places.orders.root, id);
  await mkdir(join(folder, 'files'), { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  for (const { bytes, file } of files) await writeFile(join(folder, 'files', file.sha256), bytes, { mode: 0o600 });
  const document = { manifest: writeManifest(manifest), signatures: ['-----BEGIN PGP SIGNATURE-----'] };
  await writeFile(join(folder, 'order.json'), JSON.stringify(document), { mode: 0o600 });
  return { manifest, folder };
}

export interface Actor {
  /** acts as `apply` does, with commands run at once where they would be started */
  act(
    accepted: Accepted,
    options?: { start?: (id: string) => Promise<void>; onStep?: (name: string) => void; clock?: Clock },
  ): Promise<void>;
  run(accepted: Accepted, signal?: AbortSignal): Promise<void>;
  /** how often a collection was asked for */
  collections(): number;
  report(accepted: Accepted): Promise<OrderReport>;
  receipts(): Promise<Receipt[]>;
  /** text of a file below site/; undefined where there is none */
  site(path: string): Promise<string | undefined>;
}

export function actorOn(
  places: Places,
  boot = 'this boot',
  { handOver = async () => undefined, wipe = noWipe }: Partial<Pick<RunKit, 'handOver' | 'wipe'>> = {},
): Actor {
  const results = openResults(places, realClock);
  let collections = 0;
  const run: Actor['run'] = (accepted, signal = new AbortController().signal) =>
    runOrder(accepted, {
      places,
      results,
      clock: realClock,
      boot,
      env: { PATH: '/usr/bin:/bin', HOME: '/' },
      signal,
      handOver,
      wipe,
    });
  return {
    run,
    act: (accepted, { start, onStep, clock = realClock } = {}) =>
      actOn(accepted, {
        places,
        results,
        clock,
        uid: process.geteuid?.() ?? 0,
        boot,
        start: start ?? (() => run(accepted)),
        collectSoon: async () => {
          collections++;
        },
        ...(onStep === undefined ? {} : { onStep }),
      }),
    collections: () => collections,
    report: async ({ manifest }) => JSON.parse(await readFile(join(places.results, `${manifest.id}.json`), 'utf8')),
    receipts: async () =>
      (await readFile(places.receipts, 'utf8').catch(() => ''))
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    site: (path) => readFile(join(places.site.root, path), 'utf8').catch(() => undefined),
  };
}

const noWipe: RunKit['wipe'] = async () => {
  throw new Error('this test wipes nothing');
};
