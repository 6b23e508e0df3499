import type { Order } from '../core/order.ts';
import { type ClientSettings, orderedWanted, type PlainWanted, wantedOf } from '../settings/client-settings.ts';
import { clientSettingsFile, loadClientSettings } from '../settings/client-settings-file.ts';
import { withLock } from '../settings/lock-file.ts';
import { canonicalJson } from '../wire/v2/digest.ts';
import { MOST_TARGETS } from '../wire/v2/order.ts';
import type { AdminContext } from './context.ts';
import { counts, lastSettingsOrders } from './last-settings-orders.ts';
import { makeOrder } from './make-order.ts';
import type { OrderOptions } from './order-options.ts';
import { allEnrolled, type Target } from './order-targets.ts';

export interface SentSettings {
  order: Order;
  targets: Target[];
}

interface Sending {
  /** these hosts, by name */
  only?: ReadonlySet<string>;
  /** whatever they were told */
  again?: boolean;
  options: OrderOptions;
}

/**
 * Orders the settings that are wanted of those hosts which were told something else last, or nothing: one order for all that are to have the same.
 * One at a time: what is read last is to be what hosts are told last.
 */
export function sendClientSettings(context: AdminContext, sending: Sending): Promise<SentSettings[]> {
  const [settingsFile, doing] = [context.settingsFile(), 'order settings of agents'];
  const send = async () => orderWanted(context, await loadClientSettings(clientSettingsFile(settingsFile)), sending);
  return withLock(context, `${settingsFile}.lock`, send, doing);
}

async function orderWanted(
  context: AdminContext,
  settings: ClientSettings,
  { only, again, options }: Sending,
): Promise<SentSettings[]> {
  const store = await context.store();
  const hosts = (await allEnrolled(store)).filter(({ hostname }) => only?.has(hostname) ?? true);
  const last = await lastSettingsOrders(store);
  const groups = new Map<string, { wanted: PlainWanted; targets: Target[] }>();
  for (const target of hosts) {
    const wanted = wantedOf(settings, target.hostname);
    const text = canonicalJson(orderedWanted(wanted));
    const told = last.get(target.host_id);
    const has = told === undefined || !counts(told) ? undefined : told.wanted;
    // Who was never told anything has nothing to forget.
    const same = has === text || (told === undefined && text === '{}');
    if (same && again !== true) continue;
    const group = groups.get(text) ?? { wanted, targets: [] };
    groups.set(text, group);
    group.targets.push(target);
  }
  const sent: SentSettings[] = [];
  for (const { wanted, targets } of groups.values()) {
    for (let from = 0; from < targets.length; from += MOST_TARGETS) {
      const some = targets.slice(from, from + MOST_TARGETS);
      context.concerns(some.map(({ hostname }) => hostname));
      const content = { kind: 'settings', wanted: orderedWanted(wanted) } as const;
      sent.push({ order: await makeOrder(context, { content, targets: some, files: [], options }), targets: some });
    }
  }
  return sent;
}

export function sentJson(sent: readonly SentSettings[]): object[] {
  return sent.map(({ order, targets }) => ({ order: order.id, hosts: targets.map(({ hostname }) => hostname) }));
}

export function tellSent({ output }: AdminContext, sent: readonly SentSettings[], none: string): void {
  for (const { order, targets } of sent) {
    const names = targets.slice(0, 5).map(({ hostname }) => hostname);
    const more = targets.length > 5 ? ` and ${targets.length - 5} more` : '';
    output.line(`order ${order.id} is for ${names.join(', ')}${more} to fetch`);
  }
  if (sent.length === 0) output.line(none);
}
