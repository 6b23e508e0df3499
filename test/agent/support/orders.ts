import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type Applied, type Applying, apply } from '../../../src/agent/orders/apply.ts';
import { type Places, placesOf } from '../../../src/agent/places.ts';
import { days } from '../../../src/core/duration.ts';
import type { OrderReport, Receipt } from '../../../src/core/order.ts';
import { generateOrderKey } from '../../../src/crypto/openpgp.ts';
import { canonicalJson } from '../../../src/wire/v2/digest.ts';
import { type Manifest, ORDER_TYPE, type OrderDocument, writeManifest } from '../../../src/wire/v2/order.ts';
import { ORDER_ROTATION_TYPE } from '../../../src/wire/v2/order-key.ts';
import { REVOCATIONS_TYPE } from '../../../src/wire/v2/revocations.ts';
import { signDetached } from '../../support/openpgp.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { realRandom } from '../../support/world.ts';

export type OrderKey = Awaited<ReturnType<typeof generateOrderKey>>;
export const NOW = new Date('2026-06-01T12:00:00.000Z');
export const at = (milliseconds: number) => new Date(NOW.getTime() + milliseconds).toISOString();

const made = new Map<string, Promise<OrderKey>>();
/** The same key for a name in a whole file of tests. */
export function keyOf(name: string): Promise<OrderKey> {
  const key = made.get(name) ?? generateOrderKey({ userId: name, createdAt: new Date(NOW.getTime() - days(400)) });
  made.set(name, key);
  return key;
}

export const HOST_ID = '018f0000-0000-7000-8000-000000000001';
export const HOSTNAME = 'testhost';

/** Of a kind that needs no file. */
export function settingsOrder(changes: Partial<Record<keyof Manifest | 'wanted', unknown>> = {}): Manifest {
  const order = {
    type: ORDER_TYPE,
    id: realRandom.uuid(),
    kind: 'settings',
    made_at: at(-60_000),
    expires_at: at(days(30)),
    by: 'alice',
    why: 'a test',
    targets: [{ host_id: HOST_ID, hostname: HOSTNAME }],
    files: [],
    wanted: {},
    ...changes,
  };
  return order as Manifest;
}

export function commandOrder(
  script: string,
  changes: Partial<Record<keyof Manifest | 'timeout', unknown>> = {},
): Manifest {
  const { wanted: _, ...common } = settingsOrder() as Extract<Manifest, { kind: 'settings' }>;
  const file = { path: 'commands/do', mode: 0o755, sha256: sha256(script), size: Buffer.byteLength(script) };
  return { ...common, kind: 'command', timeout: 60, files: [file], ...changes } as Manifest;
}

export function wipeOrder(changes: object = {}): Manifest {
  const { wanted: _, ...common } = settingsOrder() as Extract<Manifest, { kind: 'settings' }>;
  return { ...common, kind: 'wipe', method: 'lock', ...changes } as Manifest;
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export async function sign(content: Manifest | string, ...names: string[]): Promise<OrderDocument> {
  const manifest = typeof content === 'string' ? content : writeManifest(content);
  const keys = await Promise.all(names.map(keyOf));
  const date = new Date(/"made_at":"([^"]+)"/.exec(manifest)?.[1] ?? NOW);
  const signing = keys.map(({ secretKey }) => signDetached(secretKey, manifest, date));
  return { manifest, signatures: await Promise.all(signing) };
}

export interface OrderHost {
  places: Places;
  now: Date;
  hostname: string;
  /** ids that were carried out, in order */
  acted: string[];
  /** what acting does; nothing, so that orders stay open, where it is not set */
  act: Applying['carryOut'];
  policy(text: string): Promise<void>;
  operator(...names: string[]): Promise<void>;
  put(document: unknown, id: string, ...files: string[]): Promise<void>;
  /** a whole order, signed by the server's key where nobody is named */
  order(manifest: Manifest, ...signers: string[]): Promise<string>;
  heard(content: object): Promise<void>;
  apply(): Promise<Applied>;
  receipts(): Promise<Receipt[]>;
  report(id: string): Promise<OrderReport | undefined>;
  known(): Promise<Record<string, unknown>>;
  inbox(): Promise<string[]>;
}

/** A host that is enrolled, without a server: orders are put into its inbox as its submitter would. */
export async function orderHost(t: ExecutionContext, { firstKey = true } = {}): Promise<OrderHost> {
  const state = join(await scratchFolder(t), 'state');
  const places = placesOf({ state });
  const server = await keyOf('server');
  await mkdir(places.trustFolder, { recursive: true, mode: 0o755 });
  await mkdir(places.inbox, { recursive: true, mode: 0o700 });
  const host: OrderHost = {
    places,
    now: NOW,
    hostname: HOSTNAME,
    acted: [],
    act: async () => undefined,
    policy: (text) => writeFile(places.policy, text, { mode: 0o644 }),
    operator: async (...names) => {
      await mkdir(places.operators, { recursive: true, mode: 0o755 });
      for (const name of names) {
        await writeFile(join(places.operators, `${name}.asc`), (await keyOf(name)).publicKey, { mode: 0o644 });
      }
    },
    put: async (document, id, ...files) => {
      for (const file of files) await writeFile(join(places.inbox, sha256(file)), file);
      const text = typeof document === 'string' ? document : JSON.stringify(document);
      await writeFile(join(places.inbox, `${id}.json`), text);
    },
    order: async (manifest, ...signers) => {
      await host.put(await sign(manifest, ...(signers.length === 0 ? ['server'] : signers)), manifest.id);
      return manifest.id;
    },
    heard: (content) => writeFile(join(places.inbox, 'trust.json'), JSON.stringify(content)),
    apply: () =>
      apply({
        places,
        clock: { now: () => host.now },
        uid: process.geteuid?.() ?? 0,
        home: state,
        program: { pluginTool: '/nonexistent', agent: '/nonexistent', node: process.execPath },
        signal: new AbortController().signal,
        own: { host_id: HOST_ID, hostname: host.hostname, order_key: server.fingerprint },
        carryOut: async (accepted, acting) => {
          host.acted.push(accepted.manifest.id);
          await host.act(accepted, acting);
        },
      }),
    receipts: async () => {
      const text = await readFile(places.receipts, 'utf8').catch(() => '');
      return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
    },
    report: async (id) =>
      readFile(join(places.results, `${id}.json`), 'utf8').then(
        (text) => JSON.parse(text),
        () => undefined,
      ),
    known: async () => JSON.parse(await readFile(join(places.results, 'known.json'), 'utf8')),
    inbox: async () => (await readdir(places.inbox)).sort(),
  };
  await mkdir(dirname(places.policy), { recursive: true });
  if (firstKey) await host.heard({ first_order_key: server.publicKey });
  return host;
}

/** Says of each order that it is done, as the acting part does in the end. */
export const settle: Applying['carryOut'] = async ({ manifest }, { results }) => {
  const { id, kind, by, why } = manifest;
  await results.receipt({ order: id, kind, by, why, event: 'done', detail: 'done' });
  await results.report(id, { state: 'done' });
};

export async function rotation(number: number, from: string, to: string, changes: object = {}, operator?: string) {
  const [old, fresh] = await Promise.all([keyOf(from), keyOf(to)]);
  return signStatement(
    {
      type: ORDER_ROTATION_TYPE,
      number,
      old_fingerprint: old.fingerprint,
      new_fingerprint: fresh.fingerprint,
      new_key: fresh.publicKey,
      made_at: at(-1000),
      ...changes,
    },
    from,
    operator,
  );
}

export async function revocations(number: number, by: string, revoked: readonly [kind: string, name: string][]) {
  const list = await Promise.all(
    revoked.map(async ([kind, name]) => ({
      kind,
      fingerprint: (await keyOf(name)).fingerprint,
      at: at(-1000),
      why: 'a test',
    })),
  );
  return signStatement({ type: REVOCATIONS_TYPE, number, made_at: at(-1000), revoked: list }, by);
}

async function signStatement(statement: object, by: string, operator?: string) {
  const text = canonicalJson(statement);
  const signature = await signDetached((await keyOf(by)).secretKey, text, NOW);
  if (operator === undefined) return { statement, signature };
  return { statement, signature, operator_signature: await signDetached((await keyOf(operator)).secretKey, text, NOW) };
}
