import type { Fields } from './value.ts';

export type Answer = 'pass' | 'fail' | 'unknown';

/** What one check says of one host. */
export interface CheckResult {
  answer: Answer;
  /** whether an issue follows: a fail, or an unknown that counts as one */
  fails: boolean;
  /**
   * The values that were looked at, by dotted path; null where nothing was there. Absent where no issue follows and nobody asked:
   * then they are as the host reported them, and `CheckBook.recall` finds them there.
   */
  evidence?: Fields;
  /** why the answer is unknown, or why an unknown counts as a fail; absent where the evidence is */
  reason?: string;
  /** since when the answer has been this one */
  since: Date;
}

/** Stored with the host as `checks`. */
export interface Judgement {
  /** digest of the set of checks that gave it: another one means "evaluate again" */
  version: string;
  evaluated_at: Date;
  results: Record<string, CheckResult>;
  /** when an answer changes by time alone (`on_unknown: issue-after`), the earliest such time */
  deadline_at?: Date;
}

/**
 * The audit's view of a host, handed to the server so that checks run as reports arrive.
 * `document` is the host as stored, keys unescaped; `previous` what was said of it last time.
 * `seen` is the document that `previous` was said of, where it is at hand: a check all of whose bodies are the very same
 * objects in both need not look at them again.
 */
export interface Judge {
  readonly version: string;
  judge(document: Fields, previous: Judgement | undefined, at: Date, seen?: Fields): Judgement;
}
