import type { Document, Filter } from 'mongodb';
import type { HeldIssue } from '../../core/issue.ts';
import type { IssueFilter, IssueOf } from '../port.ts';
import type { Collections } from './collections.ts';
import { condition, type NewIssue, OPEN, type OpenIssue } from './issues.ts';

/** What an operator does to issues: each one guarded statement, whose mark then tells whom it befell. */
export async function openByHand({ issues }: Collections, open: OpenIssue, issue: NewIssue): Promise<boolean> {
  const { hostname, name } = issue;
  await issues.updateOne({ hostname, name, open: true, held: true }, { $unset: { open: '', held: '' } });
  return open({ ...issue, by_hand: true });
}

export async function snooze(collections: Collections, filter: IssueFilter, until: Date, at: Date): Promise<IssueOf[]> {
  const shorter = { $or: [{ unsnooze_at: null }, { unsnooze_at: { $lt: until } }] };
  const change = { $set: { snoozed_at: at, unsnooze_at: until }, $unset: { unsnoozed_at: '' } };
  await collections.issues.updateMany({ ...OPEN, ...condition(filter), ...shorter }, change);
  return those(collections, { ...OPEN, ...condition(filter), snoozed_at: at, unsnooze_at: until });
}

export async function unsnooze(collections: Collections, filter: IssueFilter, at: Date): Promise<IssueOf[]> {
  const change = { $set: { unsnooze_at: at, unsnoozed_at: at } };
  await collections.issues.updateMany({ ...OPEN, ...condition(filter), unsnooze_at: { $gt: at } }, change);
  return those(collections, { ...OPEN, ...condition(filter), unsnoozed_at: at });
}

/** Closes duplicates that an original database may hold, too. */
export async function closeByHand(collections: Collections, filter: IssueFilter, at: Date): Promise<IssueOf[]> {
  const { issues } = collections;
  await issues.updateMany({ ...OPEN, ...condition(filter) }, { $set: { closed_at: at, held: true } });
  await issues.updateMany({ ...condition(filter), closed_at: null }, { $set: { closed_at: at } });
  return those(collections, { ...condition(filter), held: true, closed_at: at });
}

export async function heldIssues({ issues }: Collections): Promise<HeldIssue[]> {
  const found = await issues
    .find({ held: true }, { projection: { _id: 0, hostname: 1, name: 1, closed_at: 1 } })
    .toArray();
  return found.flatMap(({ hostname, name, closed_at }) =>
    typeof hostname === 'string' && typeof name === 'string' && closed_at instanceof Date
      ? [{ hostname, name, closed_at }]
      : [],
  );
}

export async function release({ issues }: Collections, held: readonly HeldIssue[]): Promise<void> {
  for (const { hostname, name, closed_at } of held) {
    const filter = { hostname, name, held: true, closed_at: { $lte: closed_at } };
    await issues.updateMany(filter, { $unset: { held: '', open: '' } });
  }
}

async function those({ issues }: Collections, filter: Filter<Document>): Promise<IssueOf[]> {
  const found = await issues
    .find(filter, { projection: { _id: 0, hostname: 1, name: 1 } })
    .sort({ hostname: 1, name: 1 })
    .toArray();
  return found.map(({ hostname, name }) => ({ hostname: String(hostname), name: String(name) }));
}
