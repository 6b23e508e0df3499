import type { StoreSettings } from '../settings/server-settings.ts';
import type { StoredDocument } from './port.ts';

/** A document that is there and cannot be taken over. */
export interface Unreadable {
  collection: string;
  id: string;
  why: string;
}

export interface OriginalDocument extends StoredDocument {
  /** of the original, to name it by */
  id(): string;
}

/** The database of an original installation, to be read and left as it is. */
export interface OriginalDatabase {
  /** collection → documents; without what is of no original's */
  counts(): Promise<Record<string, number>>;
  /** whether a server of ours has used it already */
  isOurs(): Promise<boolean>;
  /** As a backup would hold them. @param tell of each that cannot be read, and does not come */
  documents(tell: (found: Unreadable) => void): AsyncIterable<OriginalDocument>;
  close(): Promise<void>;
}

/**
 * @throws StoreUnavailable where it cannot be reached now
 * @throws OperatorError where it refuses the user
 */
export async function openOriginalDatabase(
  settings: Extract<StoreSettings, { kind: 'mongo' }>,
  password: string | undefined,
): Promise<OriginalDatabase> {
  const { openOriginalMongo } = await import('./mongo/read-original.ts');
  return openOriginalMongo(settings, password);
}
