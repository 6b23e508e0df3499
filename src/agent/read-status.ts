import { stat } from 'node:fs/promises';
import { days, type Milliseconds, minutes } from '../core/duration.ts';
import { keyIdOf } from '../crypto/ed25519.ts';
import type { AgentSettings } from '../settings/agent-settings.ts';
import { openAnswerKeys, type RefusedChain } from './answer-keys.ts';
import { diskTroubles } from './disk-troubles.ts';
import { onlineTroubles } from './online/online-troubles.ts';
import { type OrdersStatus, readOrdersStatus } from './orders/orders-status.ts';
import { readSiteSettings } from './orders/site-settings.ts';
import type { Places } from './places.ts';
import { adviceOn } from './problem.ts';
import { type Journal, readJournal } from './spool/journal.ts';
import { readReports } from './spool/read-reports.ts';
import { acknowledgedIds } from './spool/settle.ts';
import { readSubmitterState, type SubmitterState } from './submitter-state.ts';
import type { Trouble } from './trouble.ts';
import { pinnedKey, readTrust } from './trust.ts';

/** What `status` tells, and what status.json holds: no secrets. */
export interface Status {
  agent: string;
  hostname: string;
  enrolled: boolean;
  host_id: string | null;
  key_id: string | null;
  /** when the key was made, as its file says */
  key_made_at: string | null;
  server: string | null;
  /** the newest key whose answers this host takes */
  answer_key: { number: number; fingerprint: string } | null;
  collected_at: string | null;
  submitted_at: string | null;
  attempted_at: string | null;
  /** reports that wait to be handed over */
  waiting: number;
  /** reports that the server called malformed */
  bad: number;
  /** reports that the size limit pushed out, ever */
  dropped: number;
  orders: OrdersStatus;
  problems: Trouble[];
  /** when this was so */
  at: string;
}

export interface Asking {
  places: Places;
  settings: Pick<AgentSettings, 'url' | 'collect_interval' | 'submit_interval'>;
  hostname: string;
  version: string;
  now: Date;
}

/** How long a loss is told. */
const REMEMBERED = days(7);
/** How many intervals may pass before somebody is told, and what a slow timer gets on top. */
const LATE = 3;
const GRACE = minutes(5);

/** Looks at state and spool; changes nothing. */
export async function readStatus({ places, settings, hostname, version, now }: Asking): Promise<Status> {
  const trust = await readTrust(places);
  const answerKeys = trust && (await openAnswerKeys(places, pinnedKey(trust), { now: () => now }));
  const newest = answerKeys?.newest();
  const state = await readSubmitterState(places);
  const journal = await readJournal(places);
  const found = await readReports(places);
  const { problems: orderProblems, ...orders } = await readOrdersStatus(places, now);
  const acknowledged = await acknowledgedIds(places);
  const waiting = found.waiting.filter(({ id }) => ![`${id}.ok`, `${id}.bad`].some((name) => acknowledged.has(name)));
  const bad = new Set([
    ...found.bad,
    ...[...acknowledged].flatMap(([name, id]) => (name.endsWith('.bad') ? [id] : [])),
  ]);
  return {
    agent: version,
    hostname,
    enrolled: trust !== undefined,
    host_id: trust?.host_id ?? null,
    key_id: state?.key_id ?? null,
    key_made_at: await madeAt(places),
    server: settings.url ?? trust?.url ?? null,
    answer_key: newest === undefined ? null : { number: newest.number, fingerprint: keyIdOf(newest.key) },
    collected_at: journal.collected_at,
    submitted_at: state?.submitted_at ?? null,
    attempted_at: state?.attempted_at ?? null,
    waiting: waiting.length,
    bad: bad.size,
    dropped: journal.dropped.count,
    orders,
    problems: [
      ...(await diskTroubles(places)),
      ...(trust === undefined ? [NOT_ENROLLED] : submitting(state, waiting, settings.submit_interval, now)),
      ...collecting(journal, settings.collect_interval, now, places),
      ...fetching(state),
      ...(await onlineTroubles(places, settings, now)),
      ...orderProblems,
      ...(await siteSettings(places)),
      ...refusedKeys(answerKeys?.refused() ?? null, now),
      ...losses(journal, bad.size, places, now),
    ],
    at: now.toISOString(),
  };
}

/** Whoever may not look into the folder is not told. */
async function madeAt({ identity }: Places): Promise<string | null> {
  return stat(identity).then(
    ({ mtime }) => mtime.toISOString(),
    () => null,
  );
}

const NOT_ENROLLED: Trouble = {
  code: 'not-enrolled',
  what: 'this host is not enrolled',
  advice:
    'get a token (penguindome enrollment token, on the server) and run penguindome-agent enroll --token-file FILE',
};

/** @param waiting oldest first: where nobody has ever tried, they wait since they were collected */
function submitting(
  state: SubmitterState | undefined,
  waiting: readonly { collected_at: string }[],
  interval: Milliseconds,
  now: Date,
): Trouble[] {
  if (state?.problem) {
    const { code, reason } = state.problem;
    return [{ code, what: reason, advice: adviceOn(code) }];
  }
  const since = state?.attempted_at ?? waiting[0]?.collected_at;
  if (since === undefined || waiting.length === 0 || !isLate(since, interval, now)) return [];
  return [
    {
      code: 'submit-late',
      what: `${waiting.length} reports wait, and nobody hands them over`,
      advice: 'see whether the timer runs that calls penguindome-agent; by hand: penguindome-agent submit',
    },
  ];
}

/** What the server is not asked, because it refuses this host otherwise, is told once. */
function fetching(state: SubmitterState | undefined): Trouble[] {
  const problem = state?.orders_problem ?? null;
  if (problem === null || problem.code === state?.problem?.code) return [];
  return [{ code: problem.code, what: problem.reason, advice: adviceOn(problem.code) }];
}

function collecting(journal: Journal, interval: Milliseconds, now: Date, { site }: Pick<Places, 'site'>): Trouble[] {
  const troubles = [...journal.failed, ...journal.refused].map(({ name, reason }) => ({
    code: 'collector-failed',
    what: `${name}: ${reason}`,
    advice: adviceOnCollector(name, site.plugins),
  }));
  return [...lateness(journal.collected_at, interval, now), ...troubles];
}

/** Where nobody has looked at this machine for long. */
export function lateness(collected_at: string | null, interval: Milliseconds, now: Date): Trouble[] {
  if (!isLate(collected_at, interval, now)) return [];
  const what = collected_at === null ? 'nothing was collected yet' : `nothing was collected since ${collected_at}`;
  const advice = 'see whether the timer runs that calls penguindome-agent; by hand: penguindome-agent collect';
  return [{ code: 'collect-late', what, advice }];
}

function adviceOnCollector(name: string, brought: string): string {
  if (!name.startsWith('/')) return `see what it says: penguindome-agent collectors run ${name}`;
  return name.startsWith(`${brought}/`)
    ? 'orders alone bring what lies there: remove it, and have it ordered anew (penguindome patch, penguindome release publish)'
    : 'make it executable, owned by root and writable by nobody else, or remove it';
}

function losses(journal: Journal, bad: number, { spool }: Places, now: Date): Trouble[] {
  const troubles: Trouble[] = [];
  const { count, last } = journal.dropped;
  if (last !== null && isRecent(last.at, now)) {
    troubles.push({
      code: 'dropped',
      what: `the spool was full: ${count} reports were dropped, the last one of ${last.collected_at}`,
      advice: 'let the host reach its server, or raise spool.max_size',
    });
  }
  if (bad > 0) {
    troubles.push({
      code: 'bad-reports',
      what: `the server called ${bad} reports malformed`,
      advice: `each tells why in ${spool.reports}/*.bad; remove them when you have looked`,
    });
  }
  for (const { name, reason, at } of journal.aside) {
    if (!isRecent(at, now)) continue;
    troubles.push({
      code: 'set-aside',
      what: `${name} in the spool was ${reason}`,
      advice: `it lies in ${spool.aside} now`,
    });
  }
  return troubles;
}

/** What somebody else than an order wrote there does not count. */
async function siteSettings(places: Places): Promise<Trouble[]> {
  const { problems } = await readSiteSettings(places);
  return problems.map((what) => ({
    code: 'site-settings',
    what,
    advice: 'somebody changed what orders brought, or the disk did; let an operator send it again',
  }));
}

/** Somebody shows keys that do not follow from those that this host trusts. */
function refusedKeys(refused: RefusedChain | null, now: Date): Trouble[] {
  if (refused === null || !isRecent(refused.at, now)) return [];
  return [
    {
      code: 'answer-keys',
      what: `the server showed answer keys that do not follow from the one that this host trusts: ${refused.reason} (${refused.at})`,
      advice:
        'compare with penguindome keys list on the server: it may have been restored from an old backup, or another one answers in its place',
    },
  ];
}

/** A time in the future was written by a wrong clock: then nothing is known. */
function isLate(time: string | null, interval: Milliseconds, now: Date): boolean {
  if (time === null) return true;
  const age = now.getTime() - new Date(time).getTime();
  return age > interval * LATE + GRACE;
}

function isRecent(time: string, now: Date): boolean {
  return Math.abs(now.getTime() - new Date(time).getTime()) < REMEMBERED;
}
