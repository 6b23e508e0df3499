import * as v from 'valibot';
import { OperatorError } from '../core/errors.ts';
import type { Output } from './context.ts';
import { diskTroubles } from './disk-troubles.ts';
import { EXIT } from './exit-codes.ts';
import { hasCode } from './has-code.ts';
import { readFollowing } from './read-hostile.ts';
import { type Asking, lateness, readStatus, type Status } from './read-status.ts';
import type { Trouble } from './trouble.ts';
import { writeAtomically } from './write-atomically.ts';

/**
 * Tells how this agent is, from its state; to users who may not read that, what the agent last left for them.
 * @param more what is wrong beside that
 * @returns the exit status
 */
export async function tellStatus(asking: Asking, output: Output, more: readonly Trouble[] = []): Promise<number> {
  const found = await readStatus(asking).catch(async (error: unknown) => {
    if (!hasCode(error, 'EACCES', 'EPERM') && !hasCode(causeOf(error), 'EACCES', 'EPERM')) throw error;
    return readLeftStatus(asking, error);
  });
  const status = { ...found, problems: [...more, ...found.problems] };
  if (output.wantsJson) output.json(status);
  else for (const line of linesOf(status, asking.now)) output.line(line);
  return status.problems.length === 0 ? EXIT.ok : EXIT.failed;
}

/** Leaves status.json for users; whoever may not write it (the submitter) leaves that to root's next run. */
export async function leaveStatus(asking: Asking): Promise<void> {
  try {
    await writeAtomically(asking.places.status, `${JSON.stringify(await readStatus(asking), null, 2)}\n`, 0o644);
  } catch (error) {
    if (!hasCode(causeOf(error), 'EACCES', 'EPERM', 'EROFS')) throw error;
  }
}

const leftStatus = v.object({
  agent: v.string(),
  hostname: v.string(),
  enrolled: v.boolean(),
  host_id: v.nullable(v.string()),
  key_id: v.nullable(v.string()),
  key_made_at: v.optional(v.nullable(v.string()), null),
  server: v.nullable(v.string()),
  answer_key: v.optional(v.nullable(v.object({ number: v.number(), fingerprint: v.string() })), null),
  collected_at: v.nullable(v.string()),
  submitted_at: v.nullable(v.string()),
  attempted_at: v.nullable(v.string()),
  waiting: v.number(),
  bad: v.number(),
  dropped: v.number(),
  orders: v.optional(
    v.object({
      under_way: v.number(),
      waiting: v.number(),
      refused: v.number(),
      receipts: v.number(),
      runs_by: v.nullable(v.picklist(['systemd', 'child'])),
    }),
    { under_way: 0, waiting: 0, refused: 0, receipts: 0, runs_by: null },
  ),
  problems: v.array(v.object({ code: v.string(), what: v.string(), advice: v.string() })),
  at: v.string(),
});

/** What was left may be old by now: whoever could not write it for days left it saying that all is well. */
async function readLeftStatus({ places, settings, now }: Asking, cause: unknown): Promise<Status> {
  try {
    const bytes = await readFollowing(places.status, 1024 * 1024);
    const left = v.parse(leftStatus, JSON.parse(bytes?.toString('utf8') ?? ''));
    const since = [...(await diskTroubles(places)), ...lateness(left.collected_at, settings.collect_interval, now)];
    const others = left.problems.filter(({ code }) => !since.some((fresh) => fresh.code === code));
    return { ...left, problems: [...since, ...others] };
  } catch {
    throw new OperatorError(
      `cannot read the state in ${places.state}: only root may; run this as root, or with --state DIR`,
      {
        exitCode: EXIT.notSetUp,
        cause,
      },
    );
  }
}

function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error;
}

function linesOf(status: Status, now: Date): string[] {
  const lines = [
    `host        ${status.hostname}${status.host_id === null ? '' : ` (${status.host_id})`}`,
    `key         ${status.key_id ?? 'none yet'}`,
    ...(status.key_id === null || status.key_made_at === null ? [] : [`key made    ${ago(status.key_made_at, now)}`]),
    `server      ${status.server ?? 'none yet'}`,
    `answer key  ${status.answer_key === null ? 'none yet' : `${status.answer_key.fingerprint} (number ${status.answer_key.number})`}`,
    `collected   ${ago(status.collected_at, now)}`,
    `submitted   ${ago(status.submitted_at, now)}`,
    `waiting     ${status.waiting === 1 ? '1 report' : `${status.waiting} reports`}`,
    ...ordersLines(status.orders),
  ];
  if (status.problems.length === 0) return [...lines, '', 'All is well.'];
  return [
    ...lines,
    '',
    ...status.problems.flatMap(({ what, advice }) => [`WRONG: ${oneLine(what)}`, `  do: ${oneLine(advice)}`]),
  ];
}

function ordersLines({ under_way, waiting, refused, receipts, runs_by }: Status['orders']): string[] {
  if (runs_by === null) return [];
  const how = runs_by === 'systemd' ? 'units of systemd' : 'processes of the agent (systemd does not run them here)';
  return [
    `orders      ${under_way} under way, ${waiting} waiting, ${refused} refused in the last 7 days; commands run as ${how}`,
    `receipts    ${receipts}${receipts === 0 ? '' : ' (penguindome-agent receipts)'}`,
  ];
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}

const UNITS: readonly [number, string][] = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
];

function ago(time: string | null, now: Date): string {
  if (time === null) return 'never';
  const seconds = Math.round((now.getTime() - new Date(time).getTime()) / 1000);
  if (seconds < 0) return `${time} (in the future: was the clock wrong?)`;
  const [size, unit] = UNITS.find(([one]) => seconds >= one) ?? [1, 'second'];
  const count = Math.floor(seconds / size);
  return `${time} (${count} ${unit}${count === 1 ? '' : 's'} ago)`;
}
