import type { Document, Filter } from 'mongodb';
import type { Issue } from '../../core/issue.ts';
import type { IssueFilter } from '../port.ts';
import { issueOf } from '../records.ts';
import { plainDocument } from './bson.ts';
import type { Collections } from './collections.ts';
import { insertAll } from './insert-all.ts';
import { type Outcome, share } from './share.ts';
import type { SharedReads } from './shared-reads.ts';
import { OPERATION_TIMEOUT } from './timeouts.ts';

export type OpenIssue = (asked: { hostname: string; name: string; opened_at: Date }) => Promise<boolean>;

const MOST = { items: 200, bytes: Number.POSITIVE_INFINITY };
const ON_DISK = { w: 'majority' as const, j: true, wtimeout: OPERATION_TIMEOUT };

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

/** Closes duplicates that an original database may hold, too. */
export async function closeIssue({ issues }: Collections, hostname: string, name: string, at: Date): Promise<boolean> {
  const update = { $set: { closed_at: at }, $unset: { open: '' } };
  return (await issues.updateMany({ hostname, name, closed_at: null }, update)).matchedCount > 0;
}

export async function* listOpenIssues({ issues }: Collections, filter: IssueFilter): AsyncGenerator<Issue> {
  const cursor = issues.find({ open: true, ...condition(filter) }).sort({ hostname: 1, name: 1 });
  for await (const document of cursor) {
    const issue = issueOf(plainDocument(document));
    if (issue !== undefined) yield issue;
  }
}

export async function issueHistory(
  { issues }: Collections,
  { limit, ...filter }: IssueFilter & { limit: number },
): Promise<Issue[]> {
  const documents = await issues.find(condition(filter)).sort({ opened_at: -1, _id: -1 }).limit(limit).toArray();
  return documents.flatMap((document) => issueOf(plainDocument(document)) ?? []);
}

export async function markAlerted(
  { issues }: Collections,
  alerted: Pick<Issue, 'hostname' | 'name'>[],
  at: Date,
): Promise<void> {
  if (alerted.length === 0) return;
  await issues.bulkWrite(
    alerted.map(({ hostname, name }) => ({
      updateOne: { filter: { hostname, name, open: true }, update: { $set: { alerted_at: at } } },
    })),
    { ordered: false },
  );
}

/** Costs what changes: what is open is read once. */
export async function reconcile(
  collections: Collections,
  { openIssues, open }: { openIssues: SharedReads['openIssues']; open: OpenIssue },
  { hostname, failing, passing, at }: { hostname: string; failing: string[]; passing: string[]; at: Date },
): Promise<{ opened: string[]; closed: string[] }> {
  const known = await openIssues(hostname);
  const [opened, closed] = await Promise.all([
    those(failing, async (name) => !known.has(name) && open({ hostname, name, opened_at: at })),
    those(passing, async (name) => known.has(name) && closeIssue(collections, hostname, name, at)),
  ]);
  return { opened, closed };
}

async function those(names: string[], are: (name: string) => Promise<boolean>): Promise<string[]> {
  const said = await Promise.all(names.map(are));
  return names.filter((_, index) => said[index]);
}

function condition({ hostnames, names }: IssueFilter): Filter<Document> {
  return { ...(hostnames && { hostname: { $in: hostnames } }), ...(names && { name: { $in: names } }) };
}
