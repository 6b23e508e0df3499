import type { Document, Filter } from 'mongodb';
import type { Issue } from '../../core/issue.ts';
import type { IssueFilter, IssueOf } from '../port.ts';
import { hostsByIssue, issueOf } from '../records.ts';
import { plainDocument } from './bson.ts';
import type { Collections } from './collections.ts';
import { insertAll } from './insert-all.ts';
import { type Outcome, share } from './share.ts';
import type { SharedReads } from './shared-reads.ts';
import { OPERATION_TIMEOUT } from './timeouts.ts';

export interface NewIssue {
  hostname: string;
  name: string;
  opened_at: Date;
  by_hand?: true;
}

export type OpenIssue = (asked: NewIssue) => Promise<boolean>;

const MOST = { items: 1000, bytes: Number.POSITIVE_INFINITY };
const ON_DISK = { w: 'majority' as const, j: true, wtimeout: OPERATION_TIMEOUT };

/** What is open: one that an operator closed and that is held keeps `open`, and by that its place in the unique index. */
export const OPEN = { open: true, closed_at: null };

/** Opens together what is asked for at once. The unique index over open issues is the guard. */
export function shareOpening(collections: Collections): OpenIssue {
  return share(
    async (asked): Promise<Outcome<boolean>[]> => {
      const documents = asked.map((issue) => ({ ...issue, open: true }));
      const there = await insertAll(collections, collections.issues, documents, ON_DISK);
      return asked.map((_, index) => ({ answer: !there.has(index) }));
    },
    { most: MOST, batches: { most: 2, worth: 4 } },
  );
}

/** A held one makes room only for what came after it was closed. */
export async function openIssue(
  { issues }: Collections,
  open: OpenIssue,
  issue: NewIssue,
  shown_at: Date,
): Promise<boolean> {
  if (await open(issue)) return true;
  const { hostname, name } = issue;
  const outdated = { hostname, name, open: true, held: true, closed_at: { $lt: shown_at } };
  const { matchedCount } = await issues.updateOne(outdated, { $unset: { open: '', held: '' } });
  return matchedCount > 0 && open(issue);
}

/** Closes duplicates that an original database may hold, too. */
export async function closeIssue({ issues }: Collections, hostname: string, name: string, at: Date): Promise<boolean> {
  const update = { $set: { closed_at: at }, $unset: { open: '' } };
  return (await issues.updateMany({ hostname, name, closed_at: null }, update)).matchedCount > 0;
}

export async function* listOpenIssues({ issues }: Collections, filter: IssueFilter): AsyncGenerator<Issue> {
  const options = { batchSize: LISTED, projection: { _id: 0 } };
  const cursor = issues.find({ ...OPEN, ...condition(filter) }, options).sort({ hostname: 1, name: 1 });
  for await (const document of cursor) {
    const issue = issueOf(plainDocument(document));
    if (issue !== undefined) yield issue;
  }
}

/** Of a round trip. */
const LISTED = 1000;

export async function issueHistory(
  { issues }: Collections,
  { limit, ...filter }: IssueFilter & { limit: number },
): Promise<Issue[]> {
  const documents = await issues.find(condition(filter)).sort({ opened_at: -1, _id: -1 }).limit(limit).toArray();
  return documents.flatMap((document) => issueOf(plainDocument(document)) ?? []);
}

/** Few names, many hosts: one statement for those that share a name. */
export async function markAlerted({ issues }: Collections, alerted: readonly IssueOf[], at: Date): Promise<void> {
  await Promise.all(
    [...hostsByIssue(alerted)].map(([name, hostnames]) =>
      issues.updateMany({ hostname: { $in: hostnames }, name, ...OPEN }, { $set: { alerted_at: at } }),
    ),
  );
}

/** Costs what changes: what is open is read once. */
export async function reconcile(
  collections: Collections,
  { openIssues, open }: { openIssues: SharedReads['openIssues']; open: OpenIssue },
  {
    hostname,
    failing,
    passing,
    at,
    shown_at,
  }: { hostname: string; failing: string[]; passing: string[]; at: Date; shown_at: Date },
): Promise<{ opened: string[]; closed: string[] }> {
  const known = await openIssues(hostname);
  const isThere = (name: string) => {
    const held = known.get(name);
    return held !== undefined && (held === 'open' || held >= shown_at);
  };
  const wanted = failing.filter((name) => !isThere(name));
  const over = passing.filter((name) => known.get(name) === 'open');
  const [opened, closed] = await Promise.all([
    those(wanted, (name) => openIssue(collections, open, { hostname, name, opened_at: at }, shown_at)),
    those(over, (name) => closeIssue(collections, hostname, name, at)),
  ]);
  return { opened, closed };
}

async function those(names: string[], are: (name: string) => Promise<boolean>): Promise<string[]> {
  const said = await Promise.all(names.map(are));
  return names.filter((_, index) => said[index]);
}

export function condition({ hostnames, names }: IssueFilter): Filter<Document> {
  return { ...(hostnames && { hostname: { $in: hostnames } }), ...(names && { name: { $in: names } }) };
}
