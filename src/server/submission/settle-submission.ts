import type { Judge } from '../../core/check.ts';
import { differences } from '../../core/differences.ts';
import { Refusal } from '../../core/errors.ts';
import { type Acknowledgement, type Host, type Identity, isValid } from '../../core/host.ts';
import type { Random } from '../../core/world.ts';
import type { Limits } from '../../settings/server-settings.ts';
import type { CheckIn, Speaker } from '../../store/port.ts';
import type { SubmitRequest } from '../../wire/v2/messages.ts';
import { refuseLost } from '../refuse-lost.ts';
import { spendSequence } from '../spend-sequence.ts';
import { composeReport } from './compose-report.ts';
import { decide } from './decide.ts';
import { carryOver, isSettled, judgeReport } from './judge-report.ts';
import { limitDocument } from './limit-document.ts';
import { type NameDeps, settleName } from './settle-name.ts';

export interface SubmissionDeps extends NameDeps {
  judge: () => Judge;
  limits: () => Limits;
  random: Random;
}

/** One verified submission on its way. */
export interface Submission {
  speaker: Speaker;
  request: SubmitRequest;
  epoch: string;
}

export interface Settled {
  hostname: string;
  acknowledgement: Acknowledgement;
  epoch: string;
  /** how the log calls it */
  as: 'submit.checked-in' | 'submit.repeated' | 'submit.gone' | 'submit.stored';
}

type Known = Host & { identity: Identity };

/** Guards fail only where somebody else wrote the same host meanwhile: that cannot go on for ever. */
const ATTEMPTS = 5;

/**
 * Settles a submission as docs/protocol.md says, "submit". Everything is decided from the host as read, then done in one write
 * whose guard is that the host is still so; where it is not, the host is read again.
 */
export async function settleSubmission(deps: SubmissionDeps, submission: Submission): Promise<Settled> {
  const quiet = await tryCheckIn(deps, submission);
  if (quiet !== undefined) return quiet;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const host = await readHost(deps, submission.speaker);
    const settled = await settle(deps, submission, host);
    if (settled !== undefined) return settled;
  }
  throw new Refusal('unavailable', 'cannot store the report now: others write the same host; come again');
}

/** The whole of a quiet check-in is one statement, if everything fits. */
async function tryCheckIn(deps: SubmissionDeps, submission: Submission): Promise<Settled | undefined> {
  const { list, gone, chain } = submission.request;
  if (list !== undefined || gone === true || chain === null) return undefined;
  return checkIn(deps, submission, chain, { hostname: submission.request.hostname, claimed_hostname: null });
}

/** @returns undefined where the guard does not hold */
async function checkIn(
  deps: SubmissionDeps,
  { speaker, request, epoch }: Submission,
  chain: string,
  names: Pick<CheckIn, 'hostname' | 'claimed_hostname'>,
): Promise<Settled | undefined> {
  const answer = acknowledge(deps, request);
  const { digest } = request;
  const collected_at = new Date(request.collected_at);
  const { key_id, sequence } = speaker;
  const { hostname, claimed_hostname } = names;
  const fits = await deps.store.hosts.checkIn({
    key_id,
    sequence,
    epoch,
    chain,
    digest,
    hostname,
    claimed_hostname,
    answer,
    collected_at,
  });
  return fits ? { hostname: names.hostname, acknowledgement: answer, epoch, as: 'submit.checked-in' } : undefined;
}

async function readHost({ store, clock }: SubmissionDeps, speaker: Speaker): Promise<Known> {
  const host = await store.hosts.findByKey(speaker.key_id);
  const key = host?.identity.keys.find(({ id }) => id === speaker.key_id);
  const lost = host?.identity.lost_at !== undefined;
  const speaks = key !== undefined && isValid(key, clock.now());
  if (host !== undefined && speaks && host.identity.sequence < speaker.sequence && !lost) return host;
  // The store knows which of the reasons it is, and uses the number up where it is to be.
  refuseLost(await spendSequence({ store, clock }, speaker));
  throw new Refusal('unavailable', 'cannot decide now: this host is being changed; come again');
}

const RESTARTS = { 'new-epoch': 'submit.new-epoch', 'no-chain': 'submit.chain-restarted' } as const;

/** @returns undefined where the host is no longer as it was read */
async function settle(deps: SubmissionDeps, submission: Submission, host: Known): Promise<Settled | undefined> {
  const { request, epoch } = submission;
  const decision = decide(host, request, epoch);
  switch (decision.kind) {
    case 'repeat':
      return repeat(deps, submission);
    case 'forked':
      return refuseFork(deps, submission);
    case 'gone':
    case 'store': {
      if (!(await settleName(deps, host, request.hostname))) return undefined;
      const settled =
        decision.kind === 'gone' ? await settleGone(deps, submission, host) : await storeReport(deps, submission, host);
      if (settled !== undefined && decision.restart !== undefined) {
        deps.log.event(RESTARTS[decision.restart], { host: host.hostname });
      }
      return settled;
    }
    case 'confirm': {
      if (!(await settleName(deps, host, request.hostname))) return undefined;
      const { hostname, identity } = host;
      const claimed_hostname = identity.claimed_hostname ?? null;
      return checkIn(deps, submission, decision.chain, { hostname, claimed_hostname });
    }
    default:
      return decision satisfies never;
  }
}

async function repeat(deps: SubmissionDeps, { speaker, request, epoch }: Submission): Promise<Settled | undefined> {
  const { hostname, identity } = await spendSequence(deps, speaker);
  if (identity.last?.submission !== request.submission) {
    throw new Refusal('unavailable', 'cannot decide now: this host is being changed; come again');
  }
  return { hostname, acknowledgement: identity.last, epoch: identity.epoch ?? epoch, as: 'submit.repeated' };
}

async function refuseFork(
  { store, clock, log }: SubmissionDeps,
  { speaker, request, epoch }: Submission,
): Promise<never> {
  const spent = await spendSequence({ store, clock }, speaker);
  // What was read may be behind, where a database changes its primary; what the write found is not.
  if (decide(spent, request, epoch).kind !== 'forked') {
    throw new Refusal('unavailable', 'cannot decide now: this host is being changed; come again');
  }
  const { hostname } = spent;
  if (await store.issues.open(hostname, 'cloned-identity', clock.now())) {
    log.event('issue.opened', { host: hostname, issue: 'cloned-identity' });
  }
  throw new Refusal(
    'forked',
    'cannot go on from there: another machine with this key, or an earlier state of this one, reported meanwhile',
  );
}

async function settleGone(
  deps: SubmissionDeps,
  { speaker, request, epoch }: Submission,
  { hostname, identity }: Known,
): Promise<Settled | undefined> {
  const acknowledgement = acknowledge(deps, request);
  const expected_chain = identity.last?.chain ?? null;
  const done = await deps.store.hosts.settleGone({ ...speaker, expected_chain, epoch, answer: acknowledgement });
  return done ? { hostname, acknowledgement, epoch, as: 'submit.gone' } : undefined;
}

async function storeReport(
  deps: SubmissionDeps,
  { speaker, request, epoch }: Submission,
  host: Known,
): Promise<Settled | undefined> {
  const { store } = deps;
  const acknowledgement = acknowledge(deps, request);
  const at = acknowledgement.at;
  const collected_at = new Date(request.collected_at);
  const report = await refusedOnlyOnceSpent(deps, speaker, () => {
    const { list, ...parts } = composeReport(host, request, at);
    const { suspended: _, ...active } = host;
    const plugins = { ...parts.plugins, submitted_at: at };
    const checks = judgeReport(
      { judge: deps.judge(), log: deps.log },
      { ...active, ...parts, plugins, collected_at, submitted_at: at },
      at,
      host,
    );
    limitDocument({ ...parts, list, checks }, deps.limits().document, 'too-large');
    return { ...parts, list, checks, trail: differences(host.hostname, host, parts, at) };
  });
  const { hostname } = host;
  const settled = isSettled(report.checks, host);
  const stored = await store.hosts.storeReport({
    ...speaker,
    hostname,
    expected_chain: host.identity.last?.chain ?? null,
    before: host,
    epoch,
    digest: request.digest,
    answer: acknowledgement,
    collected_at,
    ...report,
    ...(settled && { settled }),
  });
  if (!stored) return undefined;
  await carryOver(deps, hostname, { checks: report.checks, previous: host.checks, settled });
  return { hostname, acknowledgement, epoch, as: 'submit.stored' };
}

/** Also a request that is refused for its content uses its number up. */
async function refusedOnlyOnceSpent<T>(deps: SubmissionDeps, speaker: Speaker, work: () => T): Promise<T> {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) await spendSequence(deps, speaker);
    throw error;
  }
}

const CHAIN_BYTES = 18;

function acknowledge({ random, clock }: SubmissionDeps, { submission }: SubmitRequest): Acknowledgement {
  return { submission, chain: Buffer.from(random.bytes(CHAIN_BYTES)).toString('base64url'), at: clock.now() };
}
