import { join } from 'node:path';
import * as v from 'valibot';
import type { Digest } from '../core/host.ts';
import { type SubmitAnswer, submitAnswer } from '../wire/v2/messages.ts';
import { SUBMIT } from '../wire/v2/paths.ts';
import { buildSubmission, goneSubmission, type Speaking } from './build-submission.ts';
import { type Answer, exchange, problemIn, type Speaker } from './exchange.ts';
import type { Places } from './places.ts';
import { RequestProblem } from './problem.ts';
import { listHostile } from './read-hostile.ts';
import { readBody } from './spool/read-body.ts';
import { readReports } from './spool/read-reports.ts';
import { badFile, MOST_FILES, type SpooledReport } from './spool/report.ts';
import { acknowledgedIds } from './spool/settle.ts';
import type { ProblemRecord } from './submitter-state.ts';
import { TEMPORARY, unlinkIfThere, writeAtomically } from './write-atomically.ts';

export interface Submitted {
  /** ids of reports that the server has now */
  stored: string[];
  /** ids of those that could not be sent any more, because the spool had lost a part of them */
  gone: string[];
  /** ids of those that it called malformed */
  bad: { id: string; reason: string }[];
  /** how many still wait */
  waiting: number;
  /** why the rest waits */
  problem: RequestProblem | undefined;
  /** the server said that there may be orders */
  orders: boolean;
}

type Where = Pick<Places, 'spool' | 'acks'>;

/** The server asks for what it lacks, gets it, and asks again: more often than this it makes no sense. */
const MOST_RESENDS = 3;

/**
 * Hands over what waits in the spool, oldest first. Deletes nothing there: acks/ says what became of each report.
 * An unanswered submission is settled before anything else. The caller holds the submitter's lock.
 */
export async function submit(places: Where, speaker: Speaker, speaking: Speaking): Promise<Submitted> {
  const { memory, clock } = speaker;
  await tidyAcks(places);
  const done: Submitted = { stored: [], gone: [], bad: [], waiting: 0, problem: undefined, orders: false };
  const waiting = await stillWaiting(places, memory.state.settled, clock.now());
  memory.note({ attempted_at: clock.now().toISOString() });
  try {
    for (const report of unansweredFirst(waiting, memory.state.unanswered?.submission)) {
      await settleGone(places, speaker, speaking, waiting);
      const fate = await handOver(places, speaker, speaking, report);
      if (fate === 'gone') done.gone.push(report.id);
      else if ('malformed' in fate) done.bad.push({ id: report.id, reason: fate.malformed });
      else {
        done.stored.push(report.id);
        done.orders = fate.orders;
      }
    }
    await settleGone(places, speaker, speaking, waiting);
  } catch (error) {
    if (!(error instanceof RequestProblem)) throw error;
    done.problem = error;
    await memory.keep({ problem: recordOf(error, clock.now()) });
  }
  await memory.flush();
  done.waiting = waiting.length - done.stored.length - done.gone.length - done.bad.length;
  return done;
}

export function recordOf({ code, message, serverTime, agentTime }: RequestProblem, at: Date): ProblemRecord {
  return {
    code,
    reason: message,
    at: at.toISOString(),
    ...(serverTime === undefined ? {} : { server_time: serverTime }),
    ...(agentTime === undefined ? {} : { agent_time: agentTime }),
  };
}

/** What the spool holds and no ack names; a crash may have come between the acknowledgement and its ack. */
async function stillWaiting(places: Where, settled: string | null, now: Date): Promise<SpooledReport[]> {
  const acknowledged = new Set((await acknowledgedIds(places)).values());
  const waiting = (await readReports(places)).waiting.filter(({ id }) => !acknowledged.has(id));
  if (settled === null || !waiting.some(({ id }) => id === settled)) return waiting;
  await acknowledge(places, settled, now);
  return waiting.filter(({ id }) => id !== settled);
}

function unansweredFirst(waiting: readonly SpooledReport[], id: string | undefined): SpooledReport[] {
  return [...waiting.filter((report) => report.id === id), ...waiting.filter((report) => report.id !== id)];
}

/** Settles the unanswered submission where its report is not in the spool any more. */
async function settleGone(
  places: Where,
  speaker: Speaker,
  speaking: Speaking,
  waiting: readonly SpooledReport[],
): Promise<void> {
  const { unanswered } = speaker.memory.state;
  if (unanswered === null || waiting.some(({ id }) => id === unanswered.submission)) return;
  await sayGone(places, speaker, speaking);
}

async function sayGone(places: Where, speaker: Speaker, speaking: Speaking): Promise<void> {
  const { memory, clock } = speaker;
  const { unanswered, chain } = memory.state;
  if (unanswered === null) return;
  const answer = await exchange(speaker, SUBMIT, goneSubmission(unanswered, chain, speaking.hostname));
  const refused = malformed(answer);
  if (refused !== undefined) await memory.keep({ unanswered: null, problem: null });
  // The server may or may not have stored it: the next report is sent whole.
  else await remember(speaker, answer, unanswered.submission, null);
  await acknowledge(places, unanswered.submission, clock.now());
}

type Fate = { orders: boolean } | 'gone' | { malformed: string };

async function handOver(places: Where, speaker: Speaker, speaking: Speaking, report: SpooledReport): Promise<Fate> {
  const { memory, clock } = speaker;
  const { id, digest, collected_at, list } = report;
  const read = (one: Digest) => readBody(places, one);
  let asked: string[] | undefined;
  for (let resend = 0; resend <= MOST_RESENDS; resend++) {
    const { message } = await buildSubmission(read, report, memory.state, speaking, asked);
    // on disk with the sequence number, before anything is sent
    memory.note({ unanswered: { submission: id, digest, collected_at } });
    if (message === undefined) {
      await sayGone(places, speaker, speaking);
      return 'gone';
    }
    const answer = await exchange(speaker, SUBMIT, message);
    if (answer.outcome === 'refused' && answer.refusal.error === 'resend') {
      asked = answer.refusal.names ?? [];
      continue;
    }
    const refused = malformed(answer);
    if (refused !== undefined) {
      await writeAck(places, badFile(id), { reason: refused, at: clock.now().toISOString() });
      await memory.keep({ unanswered: null, problem: null });
      return { malformed: refused };
    }
    const { orders } = await remember(speaker, answer, id, { digest, list });
    await acknowledge(places, id, clock.now());
    return { orders: orders === true };
  }
  throw new RequestProblem('refused', 'cannot hand over a report: the server keeps asking for what it was sent');
}

/** 400, 413 and 415 concern this one message: it will never be taken. */
function malformed(answer: Answer): string | undefined {
  if (answer.outcome !== 'refused' || ![400, 413, 415].includes(answer.status)) return undefined;
  return `${answer.refusal.error}: ${answer.refusal.reason}`;
}

/** What an acknowledgement changes, in one write; everything that is none is a problem. */
async function remember(
  { memory, clock }: Speaker,
  answer: Answer,
  id: string,
  acknowledged: { digest: string; list: SpooledReport['list'] } | null,
): Promise<SubmitAnswer> {
  if (answer.outcome === 'refused') throw problemIn(answer, clock);
  const parsed = v.safeParse(submitAnswer, answer.content);
  if (!parsed.success || parsed.output.submission !== id) {
    throw new RequestProblem('refused', "cannot understand the server's acknowledgement");
  }
  const { chain, epoch } = parsed.output;
  await memory.keep({
    chain,
    epoch,
    acknowledged,
    unanswered: null,
    problem: null,
    settled: id,
    ...(acknowledged === null ? {} : { submitted_at: clock.now().toISOString() }),
  });
  return parsed.output;
}

async function acknowledge(places: Where, id: string, at: Date): Promise<void> {
  await writeAck(places, `${id}.ok`, { at: at.toISOString() });
}

async function writeAck({ acks }: Where, name: string, content: object): Promise<void> {
  await writeAtomically(join(acks, name), `${JSON.stringify(content)}\n`, 0o600);
}

/** Acks of reports that have left the spool have done their work. */
async function tidyAcks(places: Where): Promise<void> {
  const held = new Set(await listHostile(places.spool.reports, MOST_FILES));
  for (const [name, id] of await acknowledgedIds(places)) {
    if (!held.has(`${id}.json`)) await unlinkIfThere(join(places.acks, name));
  }
  for (const name of await listHostile(places.acks, MOST_FILES)) {
    if (name.startsWith(TEMPORARY)) await unlinkIfThere(join(places.acks, name));
  }
}
