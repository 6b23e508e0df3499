import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { SigningKey } from '../../../src/crypto/ed25519.ts';
import type { Store } from '../../../src/store/port.ts';
import { makeToken, v2Client } from '../../support/v2-client.ts';
import type { Chance } from './seed.ts';
import { type SimulatedHost, simulateHost } from './simulated-host.ts';
import { type SimulatedV1Host, simulateV1Host } from './simulated-v1-host.ts';
import type { InstalledSite } from './site.ts';

/** Hosts that report as fast as they are answered, until told to stop. */
export interface Fleet {
  hosts: SimulatedHost[];
  v1Hosts: SimulatedV1Host[];
  /** Until so many more reports were acknowledged. */
  progress(acknowledgements: number): Promise<void>;
  acknowledgements(): number;
  /** Collects nothing more, and hands over what waits: resolves when nothing does. */
  drain(): Promise<void>;
}

/** Between two attempts of a host that was not answered, in milliseconds. */
const PATIENCE = 15;

/**
 * Enrols hosts with the running server, and lets them report.
 * @param url of the server, or of what the test has put before it
 */
export async function startFleet(
  t: ExecutionContext,
  site: Pick<InstalledSite, 'url' | 'ca'> & { answerKey: Pick<SigningKey, 'publicKey'> },
  /** or the secret of a token that it has made */
  store: Store | string,
  chance: Chance,
  options: { v2?: number; v1?: number; url?: string; bulk?: number; patience?: number } = {},
): Promise<Fleet> {
  const { v2: many = 8, v1: few = 2, url = site.url, patience = PATIENCE } = options;
  const secret = typeof store === 'string' ? store : await makeToken(store, { uses: many });
  const agents: Agent[] = [];
  const newAgent = () => {
    // a connection each, kept: after a fault it is made anew
    const agent = new (url.startsWith('https:') ? SecureAgent : Agent)({ keepAlive: true, maxSockets: 1 });
    agents.push(agent);
    return agent;
  };
  const hosts = await Promise.all(
    Array.from({ length: many }, async (_, index) => {
      const { ca, answerKey } = site;
      const enrolling = v2Client({ url: site.url, ca, answerKey, hostname: `penguin-${index}` });
      const client = v2Client({
        url,
        ca,
        answerKey,
        hostname: enrolling.hostname,
        agent: newAgent(),
        key: enrolling.key,
      });
      const { status, json } = await enrolling.enroll(secret);
      t.deepEqual([status, json['status']], [200, 'approved']);
      return simulateHost(client, chance, options);
    }),
  );
  const v1Hosts = Array.from({ length: few }, (_, index) =>
    simulateV1Host({ url, ca: site.ca, agent: newAgent() }, `original-${index}`),
  );
  const all = [...hosts, ...v1Hosts];
  let mode: 'report' | 'drain' | 'stop' = 'report';
  const running = Promise.all(
    all.map(async (host) => {
      while (mode !== 'stop') {
        const outcome = await (mode === 'report' ? host.step() : host.handOver());
        if (outcome === 'nothing') return;
        if (outcome !== 'acknowledged') await sleep(patience);
      }
    }),
  );
  t.teardown(async () => {
    mode = 'stop';
    for (const agent of agents) agent.destroy();
    await running;
  });
  const acknowledgements = () => all.reduce((sum, { ledger }) => sum + ledger.acknowledgements, 0);
  return {
    hosts,
    v1Hosts,
    acknowledgements,
    async progress(count) {
      const enough = acknowledgements() + count;
      while (acknowledgements() < enough) await sleep(5);
    },
    async drain() {
      mode = 'drain';
      await running;
    },
  };
}
