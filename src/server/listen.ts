import { setTimeout as sleep } from 'node:timers/promises';
import { type Milliseconds, minutes } from '../core/duration.ts';
import type { Limits } from '../settings/server-settings.ts';
import { type OpenPort, openPort, type PortParts } from './open-port.ts';
import type { PortSpec } from './port-settings.ts';

export interface Ports {
  /**
   * Opens, closes and updates ports until they are these. Connections stay: one on a closed port ends when its request is answered.
   * @throws where a new port cannot be opened; then they are as they were
   */
  apply(specs: PortSpec[], limits: Limits): Promise<void>;
  /**
   * Closes those that stand where one of these is to be on other addresses: to be called in all processes of a server before `apply` in
   * any, for the primary holds a place as long as one of them does.
   */
  giveWay(specs: PortSpec[]): void;
  list(): { name: string; port: number }[];
  /** Stops accepting, and waits so long for what is under way. */
  close(grace: Milliseconds): Promise<void>;
}

interface Wanted {
  id: string;
  spec: PortSpec;
}

export function createPorts(parts: Omit<PortParts, 'limits'>): Ports {
  let open = new Map<string, OpenPort>();
  const closing = new Set<Promise<void>>();

  function retire(port: OpenPort, grace: Milliseconds): void {
    parts.log.event('server.port-closed', { port: port.port(), name: port.spec().name });
    const closed = drain(port, grace).finally(() => closing.delete(closed));
    closing.add(closed);
  }

  return {
    async apply(specs, limits) {
      const wanted = identify(specs);
      const kept = new Map(open);
      for (const id of open.keys()) if (!wanted.some((each) => each.id === id)) kept.delete(id);
      const changes = wanted.map(({ id, spec }) => kept.get(id)?.prepare(spec, limits));
      const fresh = wanted.filter(({ id }) => !open.has(id));
      const leaving = [...open].filter(([id]) => !kept.has(id)).map(([, port]) => port);
      // A port that only changes to TLS, or from it, must be given up before it can be opened again.
      const swaps = fresh.filter(({ spec }) => leaving.some((port) => samePlace(port.spec(), spec)));
      const additions = fresh.filter((each) => !swaps.includes(each));
      const inTheWay = [...open].filter(
        ([id, port]) => !kept.has(id) && swaps.some(({ spec }) => samePlace(port.spec(), spec)),
      );
      const opened = await openAll(additions, { ...parts, limits });
      for (const [, port] of inTheWay) retire(port, CONNECTIONS_OF_A_CLOSED_PORT);
      const swapped = await openAll(swaps, { ...parts, limits }).catch(async (error: unknown) => {
        for (const { server } of opened.values()) server.close();
        // Their connections go on as those of a closed port; who comes anew finds them as they were.
        const before = inTheWay.map(([id, port]) => ({ id, spec: port.spec() }));
        for (const [id] of inTheWay) open.delete(id);
        for (const [id, port] of await openAll(before, { ...parts, limits })) open.set(id, port);
        throw error;
      });
      for (const port of leaving) {
        if (!inTheWay.some(([, each]) => each === port)) retire(port, CONNECTIONS_OF_A_CLOSED_PORT);
      }
      for (const change of changes) change?.();
      open = new Map([...kept, ...opened, ...swapped]);
    },
    giveWay(specs) {
      const wanted = identify(specs);
      for (const [id, port] of open) {
        const spec = port.spec();
        if (wanted.some((each) => each.id === id)) continue;
        if (!wanted.some((each) => samePlace(spec, each.spec) && spec.host !== each.spec.host)) continue;
        open.delete(id);
        retire(port, CONNECTIONS_OF_A_CLOSED_PORT);
      }
    },
    list: () => [...open.values()].map((port) => ({ name: port.spec().name, port: port.port() })),
    async close(grace) {
      const closed = [...open.values()].map((port) => drain(port, grace));
      open = new Map();
      await Promise.race([Promise.all([...closed, ...closing]), sleep(grace, undefined, { ref: false })]);
    },
  };
}

const CONNECTIONS_OF_A_CLOSED_PORT: Milliseconds = minutes(5);

/** What makes a port another one: where it is, and whether it is TLS. Free ones (0) are told apart by their place in the list. */
function identify(specs: PortSpec[]): Wanted[] {
  return specs.map((spec, index) => ({
    id: [spec.host ?? '*', spec.port, spec.tls === undefined ? 'plain' : 'tls', spec.port === 0 ? index : ''].join(' '),
    spec,
  }));
}

function samePlace(a: PortSpec, b: PortSpec): boolean {
  return a.port === b.port && a.port !== 0 && (a.host === b.host || a.host === undefined || b.host === undefined);
}

/** All of them, or none. */
async function openAll(wanted: Wanted[], options: PortParts): Promise<Map<string, OpenPort>> {
  const opened = new Map<string, OpenPort>();
  try {
    for (const { id, spec } of wanted) opened.set(id, await openPort(spec, options));
    return opened;
  } catch (error) {
    for (const { server } of opened.values()) server.close();
    throw error;
  }
}

const LOOK_FOR_IDLE: Milliseconds = 50;

/** Idle connections are closed again and again: each becomes idle when what it asked is answered. */
async function drain({ server }: OpenPort, grace: Milliseconds): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const idle = setInterval(() => server.closeIdleConnections(), LOOK_FOR_IDLE);
  const end = setTimeout(() => server.closeAllConnections(), grace);
  await closed;
  clearInterval(idle);
  clearTimeout(end);
}
