import type { AgentSettings } from '../settings/agent-settings.ts';
import { digestOfText } from '../wire/v2/digest.ts';
import { buildSubmission } from './build-submission.ts';
import { type Collected, collect } from './collect.ts';
import { jsonText } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { gather } from './gather.ts';
import { gathererOf } from './gatherer-of.ts';
import { hasCode } from './has-code.ts';
import { hostnameOf } from './hostname-of.ts';
import { leaveDue } from './leave-due.ts';
import { nextDue } from './next-due.ts';
import { seeToOutside } from './online/see-to-outside.ts';
import { askingOf, type Session } from './session.ts';
import { describeReport } from './spool/store-report.ts';
import { readSubmitterState } from './submitter-state.ts';
import { tellConsent } from './tell-consent.ts';
import { leaveStatus } from './tell-status.ts';

export async function commandCollect(session: Session): Promise<number> {
  const began = session.context.clock.now();
  const settings = await session.settings();
  const collected = await collectOnce(session, settings);
  await leaveStatus(askingOf(session, settings));
  await leaveDue(session.places, await nextDue(session, settings), began);
  session.output.json(summaryOf(collected));
  session.output.line(sentenceOn(collected));
  return collected.outcome === 'discarded' ? EXIT.tryAgain : EXIT.ok;
}

export async function collectOnce(session: Session, settings: AgentSettings): Promise<Collected> {
  const { clock, random } = session.context;
  await tellConsent(session, settings);
  const gatherer = await gathererOf(session, settings, true);
  await seeToOutside(session, settings, gatherer);
  const collected = await collect({
    places: session.places,
    gatherer,
    clock,
    random,
    maxSpool: settings.spool.max_size,
  });
  if (collected.outcome === 'spooled') {
    for (const { name, reason } of collected.failed) session.output.note(`${name} failed: ${reason}`);
    for (const { name, reason } of collected.refused) session.output.note(`${name} was not run: ${reason}`);
  }
  return collected;
}

export function summaryOf(collected: Collected) {
  if (collected.outcome === 'discarded') return { collected: false, reason: DISCARDED };
  const { report, failed, refused } = collected;
  return {
    collected: true,
    report: report.id,
    digest: report.digest,
    names: Object.keys(report.list).sort(),
    failed,
    refused,
  };
}

export function sentenceOn(collected: Collected): string {
  if (collected.outcome === 'discarded') return DISCARDED;
  const { report, failed } = collected;
  const count = Object.keys(report.list).length;
  return `collected ${count} results${failed.length === 0 ? '' : `, ${failed.length} of them failed`} (report ${report.id})`;
}

const DISCARDED = 'the machine was starting or stopping meanwhile: what was collected is thrown away';

/** Prints a submission as it would leave this host if the server knew nothing yet: it may ask for each part. Keeps nothing. */
export async function commandShow(session: Session): Promise<number> {
  const { context, places, output } = session;
  const settings = await session.settings();
  const { results, refused } = await gather(await gathererOf(session, settings));
  for (const { name, reason } of refused) output.note(`${name} was not run: ${reason}`);
  const bodies = new Map(results.map(({ name, text }) => [`plugins.${name}`, text]));
  const texts = new Map<string, string>(results.map(({ text }) => [digestOfText(text), text]));
  const report = describeReport({ id: context.random.uuid(), number: 1, collectedAt: context.clock.now(), bodies });
  const state = await readSubmitterState(places).catch((error: unknown) => {
    if (hasCode(error, 'EACCES')) return undefined;
    throw error;
  });
  const speaking = { hostname: hostnameOf(settings, context.hostname), version: context.version };
  const read = async (digest: string) => texts.get(digest);
  const whole = await buildSubmission(read, report, { chain: state?.chain ?? null, acknowledged: null }, speaking, []);
  const known = new Set<string>(Object.values(state?.acknowledged?.list ?? {}));
  const changed = Object.entries(report.list).flatMap(([name, digest]) => (known.has(digest) ? [] : [name]));
  context.write(jsonText(whole.message));
  output.note(
    state?.acknowledged?.digest === report.digest
      ? 'The server has all of this: only the digest would travel now.'
      : `Of these bodies the following would travel now: ${changed.sort().join(', ') || 'none'}.`,
  );
  return EXIT.ok;
}
