import type { Document, Filter } from 'mongodb';
import type { Issue } from '../../core/issue.ts';
import type { IssueFilter } from '../port.ts';
import { issueOf } from '../records.ts';
import { plainDocument } from './bson.ts';
import type { Collections } from './collections.ts';
import { isDuplicateKey } from './errors.ts';
import type { SharedReads } from './shared-reads.ts';

/** The unique index over open issues is the guard. */
export async function openIssue({ issues }: Collections, hostname: string, name: string, at: Date): Promise<boolean> {
  try {
    await issues.insertOne({ hostname, name, opened_at: at, open: true });
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
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
  { openIssues }: SharedReads,
  hostname: string,
  failing: string[],
  passing: string[],
  at: Date,
): Promise<{ opened: string[]; closed: string[] }> {
  const open = await openIssues(hostname);
  const opened: string[] = [];
  for (const name of failing) {
    if (!open.has(name) && (await openIssue(collections, hostname, name, at))) opened.push(name);
  }
  const closed: string[] = [];
  for (const name of passing) {
    if (open.has(name) && (await closeIssue(collections, hostname, name, at))) closed.push(name);
  }
  return { opened, closed };
}

function condition({ hostnames, names }: IssueFilter): Filter<Document> {
  return { ...(hostnames && { hostname: { $in: hostnames } }), ...(names && { name: { $in: names } }) };
}
