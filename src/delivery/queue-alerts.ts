import type { OpenIssue } from '../core/audit.ts';
import type { OutboxEntry, Queued } from '../core/delivery.ts';
import { isMailAddress } from '../core/mail-address.ts';
import type { Random } from '../core/world.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import type { OutboxStore } from '../store/port.ts';
import { alertKey, digestOf } from './alert-key.ts';
import { groupBy } from './group-by.ts';
import { ALERTS_IN_A_MAIL, reaches, targetsOf, type Wish } from './targets.ts';

export interface QueueDeps {
  settings: Pick<ServerSettings, 'audit' | 'delivery'>;
  outbox: Pick<OutboxStore, 'add'>;
  /** host → mail addresses of its user (the parameter `user_email`), for those of the hosts that have any */
  emailsOf(hostnames: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  random: Pick<Random, 'uuid'>;
}

/** Puts alerts into the outbox, once for each receiver that wants them. What is in it already (its key says so) is left as it is. */
export async function queueAlerts(
  deps: QueueDeps,
  alerts: readonly OpenIssue[],
  { at, email }: { at: Date; email: boolean },
): Promise<Queued> {
  const run = deps.random.uuid();
  const { wishes, problems } = await usersOf(deps, alerts, email);
  const all = [...targetsOf(deps.settings).map((wish) => ({ wish, alerts })), ...wishes];
  const entries = all.flatMap(({ wish, alerts }) => entriesFor(wish, alerts, { run, at }));
  return { queued: entries.length === 0 ? 0 : await deps.outbox.add(entries), problems };
}

interface WishFor {
  wish: Wish;
  alerts: readonly OpenIssue[];
}

/** What goes to hosts' users: to each address the issues of the hosts that it is named for. */
async function usersOf(
  { settings: { delivery }, emailsOf }: QueueDeps,
  alerts: readonly OpenIssue[],
  email: boolean,
): Promise<{ wishes: WishFor[]; problems: string[] }> {
  const { enabled, severity } = delivery.user_mail;
  if (!email && !enabled) return { wishes: [], problems: [] };
  if (delivery.smtp === undefined) {
    return { wishes: [], problems: ['cannot mail users: the settings name no mail server (delivery.smtp)'] };
  }
  const problems: string[] = [];
  const byHost = groupBy(alerts, ({ hostname }) => hostname);
  const byAddress = new Map<string, OpenIssue[]>();
  for (const [hostname, addresses] of await emailsOf([...byHost.keys()])) {
    for (const address of new Set(addresses)) {
      const issues = byHost.get(hostname) ?? [];
      if (isMailAddress(address)) byAddress.set(address, [...(byAddress.get(address) ?? []), ...issues]);
      else problems.push(`cannot mail the user of ${hostname}: its user_email is no mail address`);
    }
  }
  const wishes = [...byAddress].map(([receiver, alerts]) => ({
    wish: { channel: 'user-mail' as const, receiver, severity, alerts: ALERTS_IN_A_MAIL },
    alerts,
  }));
  return { wishes, problems };
}

function entriesFor(wish: Wish, alerts: readonly OpenIssue[], { run, at }: { run: string; at: Date }): OutboxEntry[] {
  const { channel, receiver } = wish;
  return alerts
    .filter(({ severity }) => reaches(severity, wish.severity))
    .map((alert, index) => {
      const { hostname, name, opened_at, title, severity, reason, remediation } = alert;
      const key = alertKey(alert, wish);
      const part = Math.floor(index / wish.alerts);
      return {
        key,
        message: wish.alerts === 1 ? key : digestOf(['message', run, channel, receiver, String(part)]),
        ...{ channel, receiver, hostname, name, opened_at, title, severity },
        ...(reason === undefined ? {} : { reason }),
        ...(remediation === undefined ? {} : { remediation }),
        ...{ created_at: at, next_at: at, attempts: 0 },
      };
    });
}
