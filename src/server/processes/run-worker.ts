import { messageOf } from '../../core/errors.ts';
import type { EventName } from '../../core/events.ts';
import type { ServerLog } from '../log.ts';
import type { Admission } from '../login/back-off.ts';
import type { Taken } from '../rate-limiter.ts';
import type { Shared } from '../shared.ts';
import { type Loaded, type RunningServer, type ServerParts, startServer } from '../start-server.ts';
import type { StoreHealth } from '../store-watch.ts';
import type { Channel } from './channel.ts';
import type { Begin, WorkerState } from './messages.ts';

/** What the primary tells once for all. */
const TOLD_BY_THE_PRIMARY: ReadonlySet<EventName> = new Set([
  'server.ready',
  'server.stopping',
  'server.stopped',
  'store.waiting',
  'store.lost',
  'store.back',
  'store.maintenance',
]);
/** What is the same in every worker: the first one tells it. */
const TOLD_BY_ONE: ReadonlySet<EventName> = new Set([
  'server.listening',
  'server.port-closed',
  'server.certificate-changed',
  'tls.one-ticket-key',
]);

/**
 * Answers requests until the primary says stop.
 * @param revive makes of what the primary has loaded what a server takes
 * @throws where it cannot start
 */
export async function runWorker(
  { channel, begin, revive }: { channel: Channel; begin: Begin; revive: (source: unknown) => Promise<Loaded> },
  parts: Omit<ServerParts, 'shared' | 'waiting' | 'changed'>,
): Promise<void> {
  const server = await startServer(
    {
      ...parts,
      log: quiet(parts.log, begin.first),
      shared: shareBy(channel, begin),
      waiting: (reason) => channel.tell({ kind: 'waiting', reason }),
      changed: () => channel.tell({ kind: 'alive', state: describe(server) }),
    },
    await revive(begin.source),
    channel.stopped,
  );
  channel.describe(() => describe(server));
  // One after the other: what was told last is what stays.
  let applying = Promise.resolve();
  channel.on((message) => {
    if (message.kind === 'apply') applying = applying.then(() => apply(message.source, message.only));
  });
  async function apply(source: unknown, only: 'give-way' | undefined): Promise<void> {
    const failed = await revive(source)
      .then((next) => (only === undefined ? server.apply(next) : server.giveWay(next)))
      .then(() => undefined, messageOf);
    channel.tell({ kind: 'applied', ports: server.ports().length, reason: failed });
  }
  channel.tell({ kind: 'alive', state: describe(server) });
  channel.tell({ kind: 'ready', ports: server.ports().length });
  await channel.untilStopped();
  await applying;
  await server.stop();
}

function describe(server: RunningServer): WorkerState {
  const { store, ...figures } = server.state();
  return { ...figures, store: store.state, reason: whyNotUp(store) };
}

function whyNotUp(store: StoreHealth): string | undefined {
  if (store.state === 'up') return undefined;
  return store.state === 'down' ? store.reason : `since ${store.since.toISOString()}`;
}

function quiet(log: ServerLog, first: boolean): ServerLog {
  return {
    ...log,
    event: (name, fields) => {
      if (!TOLD_BY_THE_PRIMARY.has(name) && (first || !TOLD_BY_ONE.has(name))) log.event(name, fields);
    },
  };
}

function shareBy(channel: Channel, { workers, first, tickets }: Begin): Shared {
  let secrets = tickets;
  const rotated = new Set<() => void>();
  const told = new Set<(hostname: string, open: boolean) => void>();
  const taking = new Map<number, (taken: Taken) => void>();
  const admitting = new Map<number, (admission: Admission) => void>();
  let asked = 0;
  channel.on((message) => {
    if (message.kind === 'tickets') {
      secrets = message.tickets;
      for (const hear of rotated) hear();
    } else if (message.kind === 'deprecated') {
      for (const hear of told) hear(message.hostname, message.open);
    } else if (message.kind === 'taken') {
      taking.get(message.id)?.(message);
      taking.delete(message.id);
    } else if (message.kind === 'admitted') {
      admitting.get(message.id)?.(message);
      admitting.delete(message.id);
    }
  });
  return {
    workers,
    first,
    takeEnrollment: (address, rate) =>
      new Promise((resolve) => {
        const id = asked++;
        taking.set(id, resolve);
        channel.tell({ kind: 'take', id, address, rate });
      }),
    logins: {
      admit: (attempt) =>
        new Promise((resolve) => {
          const id = asked++;
          admitting.set(id, resolve);
          channel.tell({ kind: 'login', id, attempt });
        }),
      settle: (attempt, outcome) => channel.tell({ kind: 'login-ended', attempt, outcome }),
    },
    deprecatedPorts: {
      tell: (hostname, open) => channel.tell({ kind: 'deprecated', hostname, open }),
      onTold: (hear) => void told.add(hear),
    },
    tickets: {
      secrets: () => secrets,
      onRotated(hear) {
        rotated.add(hear);
        return () => void rotated.delete(hear);
      },
    },
  };
}
