import { OperatorError } from '../core/errors.ts';
import type { Order } from '../core/order.ts';
import { findGnupgKey, signWithGnupg } from '../crypto/gnupg.ts';
import type { Store } from '../store/port.ts';
import { canonicalJson } from '../wire/v2/digest.ts';
import { type Manifest, ORDER_TYPE, readManifest } from '../wire/v2/order.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import type { OrderFile } from './order-files.ts';
import { DEFAULT_EXPIRY, type OrderOptions } from './order-options.ts';
import { openOrderSigner } from './order-signer.ts';
import type { Target } from './order-targets.ts';
import { showTime } from './show-time.ts';

type Common = 'type' | 'id' | 'made_at' | 'not_before' | 'expires_at' | 'by' | 'why' | 'files' | 'targets';
/** What is special to an order of its kind. */
type OrderContent = Manifest extends infer One ? (One extends Manifest ? Omit<One, Common> : never) : never;

export interface OrderPlan {
  content: OrderContent;
  /** of a release, which is for all: the hosts there are now */
  targets: readonly Target[];
  files: readonly OrderFile[];
  options: OrderOptions;
}

/**
 * Makes an order: writes its manifest, signs it, and stores it with its files, so that hosts fetch it from then on.
 * All that can fail without a trace does so before anything is stored.
 */
export async function makeOrder(context: AdminContext, plan: OrderPlan): Promise<Order> {
  const { signal } = context;
  const operatorKey =
    plan.options.signWith === undefined ? undefined : await findGnupgKey(plan.options.signWith, signal);
  const signer = await openOrderSigner(context);
  const { manifest, text } = await writeOrder(context, plan);
  const signatures = [await signer.sign(text)];
  if (operatorKey !== undefined) {
    signatures.push(await signWithGnupg(operatorKey, text, () => context.clock.now(), signal));
  }
  const order = orderOf(manifest, text, signatures);
  const store = await context.store();
  await putFiles(store, plan.files);
  signal.throwIfAborted();
  if (await store.orders.insert(order, plan.targets)) return order;
  throw new OperatorError(
    'cannot order that: an order of that number is there already; look at penguindome release list',
  );
}

async function writeOrder(
  context: AdminContext,
  { content, targets, files, options }: OrderPlan,
): Promise<{ manifest: Manifest; text: string }> {
  const made = context.clock.now();
  const start = options.notBefore?.(made);
  const expires = new Date(made.getTime() + (options.expires ?? DEFAULT_EXPIRY[content.kind]));
  if (start !== undefined && start >= expires) {
    throw new OperatorError(
      `cannot order that: it would expire (${showTime(expires)}) before it may be done; say --expires`,
      {
        exitCode: EXIT.usage,
      },
    );
  }
  const text = canonicalJson({
    ...content,
    type: ORDER_TYPE,
    id: context.random.uuid(),
    made_at: made.toISOString(),
    ...(start === undefined || start <= made ? {} : { not_before: start.toISOString() }),
    expires_at: expires.toISOString(),
    by: await context.operator(),
    why: options.why ?? '',
    files: files.map(({ path, mode, sha256, size }) => ({ path, mode, sha256, size })),
    targets: content.kind === 'release' ? 'all' : targets.map(({ host_id, hostname }) => ({ host_id, hostname })),
  });
  // as hosts will read it
  const read = readManifest(text);
  if (!read.ok) throw new OperatorError(`cannot order that: ${read.reason}`, { exitCode: EXIT.usage });
  return { manifest: read.value, text };
}

/** As it is stored: what can be asked for without reading the manifest. */
export function orderOf(manifest: Manifest, text: string, signatures: string[]): Order {
  const { id, kind, made_at, not_before, expires_at, by, why, files, targets } = manifest;
  return {
    id,
    kind,
    manifest: text,
    signatures,
    made_at: new Date(made_at),
    ...(not_before === undefined ? {} : { not_before: new Date(not_before) }),
    expires_at: new Date(expires_at),
    by,
    why,
    files: [...new Map(files.map(({ sha256, size }) => [sha256, { sha256, size }])).values()],
    hosts: targets === 'all' ? null : targets.length,
    ...(manifest.kind === 'release' ? { release: manifest.number } : {}),
  };
}

async function putFiles({ orders }: Store, files: readonly OrderFile[]): Promise<void> {
  const once = new Map(files.map((file) => [file.sha256, file]));
  for (const { sha256, size, content } of once.values()) await orders.putFile({ sha256, size }, content);
}
