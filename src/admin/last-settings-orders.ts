import type { HostId } from '../core/host.ts';
import type { OrderState } from '../core/order.ts';
import type { Store } from '../store/port.ts';
import { canonicalJson } from '../wire/v2/digest.ts';
import { readManifest } from '../wire/v2/order.ts';

export interface LastSettings {
  order: string;
  state: OrderState;
  /** canonical JSON of what it wants */
  wanted: string;
}

/** The newest order of kind `settings` of each host that had one. */
export async function lastSettingsOrders({ orders }: Pick<Store, 'orders'>): Promise<Map<HostId, LastSettings>> {
  const last = new Map<HostId, LastSettings>();
  for await (const { id, manifest } of orders.list({ kinds: ['settings'] })) {
    const read = readManifest(manifest);
    if (!read.ok || read.value.kind !== 'settings') continue;
    const wanted = canonicalJson(read.value.wanted);
    for await (const { host_id, state } of orders.targets({ order: id })) {
      if (!last.has(host_id)) last.set(host_id, { order: id, state, wanted });
    }
  }
  return last;
}

/** Whether the host has it, or may still get it. */
export function counts({ state }: LastSettings): boolean {
  return !['failed', 'refused', 'cancelled', 'expired'].includes(state);
}
