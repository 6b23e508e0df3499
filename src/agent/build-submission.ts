import type { Digest } from '../core/host.ts';
import type { SpooledReport } from './spool/report.ts';
import type { SubmitterState } from './submitter-state.ts';

/** What identifies the agent in a submission. */
export interface Speaking {
  hostname: string;
  version: string;
}

/** A submission as it goes over the wire (wire/v2/messages.ts), or the lack of a body that it would need. */
export type Submission = { message: Record<string, unknown>; lacks?: never } | { message?: never; lacks: string };

/**
 * The message that hands over a report: a digest alone where the server has acknowledged the very same,
 * else the list and the bodies that it may not have.
 * @param read gives a body's canonical JSON, undefined where it is not held
 * @param asked names that the server said it lacks; undefined: it has not been asked yet
 */
export async function buildSubmission(
  read: (digest: Digest) => Promise<string | undefined>,
  report: SpooledReport,
  { chain, acknowledged }: Pick<SubmitterState, 'chain' | 'acknowledged'>,
  { hostname, version }: Speaking,
  asked: readonly string[] | undefined,
): Promise<Submission> {
  const { id: submission, collected_at, digest } = report;
  const message = { submission, chain, hostname, collected_at, digest };
  if (asked === undefined && acknowledged?.digest === digest) return { message };
  const known = new Set<Digest>(Object.values(acknowledged?.list ?? {}));
  const wanted = new Set(Object.values(report.list).filter((one) => !known.has(one)));
  for (const name of asked ?? []) {
    const one = Object.hasOwn(report.list, name) ? report.list[name] : undefined;
    if (one !== undefined) wanted.add(one);
  }
  const bodies: Record<string, unknown> = {};
  for (const one of wanted) {
    const text = await read(one);
    if (text === undefined) return { lacks: one };
    bodies[one] = JSON.parse(text);
  }
  return { message: { ...message, list: report.list, bodies, agent: version } };
}

/** Says that a submission is not held any more: the next full report heals. */
export function goneSubmission(
  unanswered: NonNullable<SubmitterState['unanswered']>,
  chain: string | null,
  hostname: string,
): Record<string, unknown> {
  return { ...unanswered, chain, hostname, gone: true };
}
