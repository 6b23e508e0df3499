import type { Unreadable } from '../../store/original-database.ts';
import type { StoredDocument } from '../../store/port.ts';
import { plainFields } from '../../store/portable.ts';
import { issueOf, objectIdOf, trailRecordOf } from '../../store/records.ts';

const WHY = 'it is kept as it is, and no command shows it: it is not of the shape that it should be';

/** Documents that are no such thing as their collection holds. */
export function whyUnseen(
  collection: string,
  document: StoredDocument['document'],
  id: () => string,
): Unreadable | undefined {
  const seen = READERS[collection]?.(document) ?? true;
  return seen ? undefined : { collection, id: id(), why: WHY };
}

const READERS: Readonly<Record<string, (document: StoredDocument['document']) => boolean>> = {
  clients: ({ hostname }) => typeof hostname === 'string',
  issues: (document) => issueOf(document) !== undefined,
  patches: ({ _id, files }) => objectIdOf(_id) !== undefined && Array.isArray(files),
  client_parameters: ({ hostname, parameter }) => typeof hostname === 'string' && typeof parameter === 'string',
  audit_trail: (document) => trailRecordOf(plainFields(document)) !== undefined,
};
