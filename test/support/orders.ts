import { createHash, randomBytes } from 'node:crypto';
import { v7 } from 'uuid';
import type { HostId } from '../../src/core/host.ts';
import type { Order, OrderReport, OrderTarget } from '../../src/core/order.ts';
import type { OrderStore, OrderTargetFilter } from '../../src/store/port.ts';

/** An order as it is stored; what its manifest says is of no concern to a store. */
export function anOrder(changes: Partial<Order> = {}): Order {
  return {
    id: v7(),
    kind: 'command',
    manifest: '{"odd":"$x ü\\u0000"}',
    signatures: ['-----BEGIN PGP SIGNATURE-----\n\nserver\n-----END PGP SIGNATURE-----\n'],
    made_at: new Date('2026-11-23T12:00:00.001Z'),
    expires_at: new Date('2026-11-30T12:00:00.002Z'),
    by: 'alice (sudo)',
    why: '',
    files: [],
    hosts: 1,
    ...changes,
  };
}

export function aTarget(changes: Partial<Pick<OrderTarget, 'host_id' | 'hostname'>> = {}) {
  return { host_id: v7() as HostId, hostname: `host-${randomBytes(4).toString('hex')}`, ...changes };
}

export function anOrderReport(order: string, changes: Partial<OrderReport> = {}): OrderReport {
  return { order, number: 1, state: 'done', at: new Date('2026-11-23T12:05:00.003Z'), ...changes };
}

export const sha256Of = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');

export async function putContent(orders: OrderStore, content: Uint8Array) {
  const file = { sha256: sha256Of(content), size: content.length };
  await orders.putFile(file, content);
  return file;
}

export async function targetsOf(orders: OrderStore, filter: OrderTargetFilter): Promise<OrderTarget[]> {
  const found: OrderTarget[] = [];
  for await (const target of orders.targets(filter)) found.push(target);
  return found;
}

/** Host name → state. */
export async function statesOf(orders: OrderStore, order: string): Promise<Record<string, string>> {
  return Object.fromEntries((await targetsOf(orders, { order })).map(({ hostname, state }) => [hostname, state]));
}

export async function listed(orders: OrderStore, filter?: Parameters<OrderStore['list']>[0]) {
  const found: Order[] = [];
  for await (const order of orders.list(filter)) found.push(order);
  return found;
}
