import { randomBytes } from 'node:crypto';
import type { Digest } from '../../../src/core/host.ts';
import { listDigest } from '../../../src/wire/v2/digest.ts';
import { SUBMIT } from '../../../src/wire/v2/paths.ts';
import { digestsOf, type Report, type V2Answer, type V2Client } from '../../support/v2-client.ts';
import { realRandom } from '../../support/world.ts';
import type { Chance } from './seed.ts';

/** A report as it waits in the host's queue, which is what a spool is to an agent. */
interface Waiting {
  submission: string;
  collectedAt: string;
  /** value of `plugins.n`, which counts the changes of this host: each is one record of the trail */
  n: number;
  report: Report;
}

/** What the host itself knows of what it handed over: the oracle compares it with the store. */
export interface Ledger {
  /** value of `plugins.n` in the last acknowledged report; 0: none is */
  acknowledged: number;
  /** how many reports were acknowledged, quiet ones included */
  acknowledgements: number;
  /** id of the last one, and its answer's chain */
  last: { submission: string; chain: string } | undefined;
  /** last sequence number used */
  sequence: number;
  /** what waits, oldest first; only the first may have been sent */
  waiting: readonly Waiting[];
  /** answers that docs/protocol.md does not foresee for an honest host */
  unexpected: string[];
}

export interface SimulatedHost {
  hostname: string;
  ledger: Ledger;
  /** Collects where the queue has room, then hands over the oldest report. @returns how it went */
  step(): Promise<Outcome>;
  /** Hands over, collecting nothing new. */
  handOver(): Promise<Outcome>;
}

/** `unanswered`: the connection broke; `later`: the server, or what stands before it, said so */
export type Outcome = 'nothing' | 'acknowledged' | 'unanswered' | 'later' | 'unexpected';

const LONGEST_QUEUE = 5;
const MOST_EXCHANGES = 6;

/**
 * A host that does what docs/protocol.md asks of an agent, and keeps a ledger. The client has enrolled.
 * @param bulk bytes that a report may hold beside the little that it always holds
 */
export function simulateHost(client: V2Client, chance: Chance, { bulk = 3000 } = {}): SimulatedHost {
  const waiting: Waiting[] = [];
  let n = 0;
  let report: Report = {};
  let chain: string | null = null;
  let acknowledged: { digest: string; list: Record<string, Digest> } | undefined;
  const ledger: Ledger = {
    acknowledged: 0,
    acknowledgements: 0,
    last: undefined,
    sequence: 0,
    waiting,
    unexpected: [],
  };

  /** Changed as often as not, small or large. */
  function collect(): void {
    if (n === 0 || chance() < 0.6) {
      n++;
      const text = randomBytes(Math.floor(chance() * bulk)).toString('hex');
      report = { 'plugins.n': n, 'plugins.bulk': text, 'plugins.same': { always: 'x'.repeat(500) } };
    }
    waiting.push({ submission: realRandom.uuid(), collectedAt: new Date().toISOString(), n, report });
  }

  function messageFor({ submission, collectedAt, report }: Waiting, asked: readonly string[] | undefined): object {
    const { list, bodies } = digestsOf(report);
    const digest = listDigest(list);
    const base = { submission, chain, hostname: client.hostname, collected_at: collectedAt, digest };
    if (asked === undefined && acknowledged?.digest === digest) return base;
    const known = new Set<string>(Object.values(acknowledged?.list ?? {}));
    for (const name of asked ?? []) known.delete(list[name] ?? '');
    const lacking = Object.entries(bodies).filter(([one]) => !known.has(one));
    return { ...base, list, bodies: Object.fromEntries(lacking) };
  }

  function acknowledge(sent: Waiting, answer: V2Answer): Outcome {
    const { submission, chain: next } = answer.json;
    if (submission !== sent.submission || typeof next !== 'string') return unexpected(answer);
    const { list } = digestsOf(sent.report);
    chain = next;
    acknowledged = { digest: listDigest(list), list };
    ledger.acknowledged = sent.n;
    ledger.acknowledgements++;
    ledger.last = { submission: sent.submission, chain: next };
    waiting.shift();
    return 'acknowledged';
  }

  function unexpected({ status, body, verified }: V2Answer): Outcome {
    ledger.unexpected.push(`${status} ${verified ? 'signed' : 'not signed'}: ${body.toString().slice(0, 300)}`);
    return 'unexpected';
  }

  async function handOver(): Promise<Outcome> {
    const [oldest] = waiting;
    if (oldest === undefined) return 'nothing';
    let asked: string[] | undefined;
    for (let exchange = 0; exchange < MOST_EXCHANGES; exchange++) {
      ledger.sequence = Math.max(ledger.sequence + 1, Date.now() * 1000);
      let answer: V2Answer;
      try {
        answer = await client.send(SUBMIT, messageFor(oldest, asked), {
          sequence: ledger.sequence,
          gzip: chance() < 0.5,
        });
      } catch {
        return 'unanswered';
      }
      const { status, json, verified } = answer;
      if (status === 503) return 'later';
      if (!verified) return unexpected(answer);
      if (status === 200) return acknowledge(oldest, answer);
      if (json['error'] === 'resend' && Array.isArray(json['names'])) asked = json['names'].map(String);
      else if (json['error'] === 'replayed' && typeof json['last'] === 'number') ledger.sequence = json['last'];
      else return unexpected(answer);
    }
    ledger.unexpected.push('the server kept asking');
    return 'unexpected';
  }

  return {
    hostname: client.hostname,
    ledger,
    handOver,
    step: async () => {
      if (waiting.length < LONGEST_QUEUE) collect();
      return handOver();
    },
  };
}
