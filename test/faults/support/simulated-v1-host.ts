import type { Agent } from 'node:http';
import { httpRequest } from '../../support/http.ts';
import { FORM, v1Form } from '../../support/v1-client.ts';
import type { Outcome } from './simulated-host.ts';

/** A host that runs the original client: it sends the same again, signed anew, until it is told `ok`. */
export interface SimulatedV1Host {
  hostname: string;
  ledger: { acknowledged: number; sent: number; acknowledgements: number; unexpected: string[] };
  step(): Promise<Outcome>;
  handOver(): Promise<Outcome>;
}

export function simulateV1Host(to: { url: string; ca: string; agent: Agent }, hostname: string): SimulatedV1Host {
  const ledger = { acknowledged: 0, sent: 0, acknowledgements: 0, unexpected: [] as string[] };

  async function handOver(): Promise<Outcome> {
    if (ledger.sent === ledger.acknowledged) return 'nothing';
    const plugins = { n: ledger.sent, bulk: 'x'.repeat(2000) };
    // The time is in the data: a second attempt within the signature's one second is another request.
    const body = await v1Form({ hostname, collected_at: new Date().toISOString(), plugins });
    try {
      const { url, ca, agent } = to;
      const answer = await httpRequest(`${url}/penguindome/v1/submit`, {
        method: 'POST',
        headers: FORM,
        body,
        ca,
        agent,
      });
      if (answer.status === 503) return 'later';
      if (answer.status !== 200) {
        ledger.unexpected.push(`${answer.status}: ${answer.body.toString().slice(0, 300)}`);
        return 'unexpected';
      }
    } catch {
      return 'unanswered';
    }
    ledger.acknowledged = ledger.sent;
    ledger.acknowledgements++;
    return 'acknowledged';
  }

  return {
    hostname,
    ledger,
    handOver,
    step: async () => {
      if (ledger.sent === ledger.acknowledged) ledger.sent++;
      return handOver();
    },
  };
}
