import * as v from 'valibot';
import { OperatorError } from '../core/errors.ts';
import type { Clock } from '../core/world.ts';
import { EXIT } from './exit-codes.ts';
import type { Places } from './places.ts';
import { readHostile } from './read-hostile.ts';
import { list, reportId } from './spool/report.ts';
import { writeAtomically } from './write-atomically.ts';

const time = v.pipe(v.string(), v.isoTimestamp());

/** What a submission is, beside its bodies: enough to say `gone` of it. */
const submission = v.object({ submission: reportId, digest: v.string(), collected_at: time });

/** What went wrong last; `server_time` and `agent_time` where the clocks differ. */
export const problemRecord = v.object({
  code: v.string(),
  reason: v.string(),
  at: time,
  server_time: v.optional(v.string()),
  agent_time: v.optional(v.string()),
});
export type ProblemRecord = v.InferOutput<typeof problemRecord>;

/** submit/state.json: all that the submitter must not forget. */
const submitterState = v.object({
  /** to whom chain and what follows belong; another identity starts anew */
  host_id: v.nullable(v.string()),
  key_id: v.nullable(v.string()),
  /** the key that the server has taken for it, while the agent changes over */
  successor: v.optional(v.nullable(v.string()), null),
  /** last sequence number used, microseconds since 1970 */
  sequence: v.pipe(v.number(), v.integer(), v.minValue(0)),
  chain: v.nullable(v.string()),
  epoch: v.nullable(v.string()),
  /** what the server acknowledged last */
  acknowledged: v.nullable(v.object({ digest: v.string(), list })),
  /** sent, and not answered by an acknowledgement: to be settled before anything else */
  unanswered: v.nullable(submission),
  /** the last acknowledged report: its ack may not have been written before a crash */
  settled: v.nullable(reportId),
  attempted_at: v.nullable(time),
  submitted_at: v.nullable(time),
  problem: v.nullable(problemRecord),
  /** when the server was last asked for orders, and why that, or telling what became of them, came to nothing */
  asked_at: v.optional(v.nullable(time), null),
  orders_problem: v.optional(v.nullable(problemRecord), null),
});
export type SubmitterState = v.InferOutput<typeof submitterState>;

const NEW: SubmitterState = {
  host_id: null,
  key_id: null,
  successor: null,
  sequence: 0,
  chain: null,
  epoch: null,
  acknowledged: null,
  unanswered: null,
  settled: null,
  attempted_at: null,
  submitted_at: null,
  problem: null,
  asked_at: null,
  orders_problem: null,
};

const LARGEST = 16 * 1024 * 1024;

/** The state, and the only way to change it: `keep` returns when the change is synced. */
export interface Memory {
  readonly state: SubmitterState;
  keep(changes: Partial<SubmitterState>): Promise<void>;
  /** Changes that need not be on disk by themselves: the next `keep` writes them too. */
  note(changes: Partial<SubmitterState>): void;
  /** Puts on disk what was only noted. */
  flush(): Promise<void>;
}

export async function openMemory(places: Pick<Places, 'submit'>): Promise<Memory> {
  let state = (await readSubmitterState(places)) ?? NEW;
  let noted = false;
  const keep = async (changes: Partial<SubmitterState>) => {
    const next = { ...state, ...changes };
    await writeAtomically(places.submit.state, `${JSON.stringify(next)}\n`, 0o600);
    state = next;
    noted = false;
  };
  return {
    get state() {
      return state;
    },
    keep,
    note: (changes) => {
      state = { ...state, ...changes };
      noted = true;
    },
    flush: async () => {
      if (noted) await keep({});
    },
  };
}

/** @returns undefined before the first request */
export async function readSubmitterState({ submit }: Pick<Places, 'submit'>): Promise<SubmitterState | undefined> {
  const bytes = await readHostile(submit.state, LARGEST);
  if (bytes === undefined) return undefined;
  try {
    return v.parse(submitterState, JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    // To guess here would look like a cloned disk to the server: somebody must look.
    throw new OperatorError(`cannot use ${submit.state}: it is damaged; remove it and tell the server's operator`, {
      exitCode: EXIT.notSetUp,
      cause,
    });
  }
}

/**
 * The state for this identity: what belonged to another one is forgotten, but never the sequence number.
 * A key that took over from the one before it (rotate-key.ts) goes on with all of it.
 */
export async function forIdentity(memory: Memory, host_id: string, key_id: string): Promise<void> {
  const { state } = memory;
  if (state.host_id === host_id && state.key_id === key_id) return;
  if (state.host_id === host_id && state.successor === key_id) return memory.keep({ key_id, successor: null });
  await memory.keep({ ...NEW, host_id, key_id, sequence: memory.state.sequence });
}

/** Max(last + 1, microseconds since 1970), on disk before it is used. */
export async function takeSequence(memory: Memory, clock: Clock): Promise<number> {
  const sequence = Math.max(memory.state.sequence + 1, clock.now().getTime() * 1000);
  await memory.keep({ sequence });
  return sequence;
}
