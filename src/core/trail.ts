import type { Value } from './value.ts';

/** One changed path between two reports of a host (collection `audit_trail`). */
export interface TrailRecord {
  hostname: string;
  audited_at: Date;
  /** dotted path; a list is recorded whole */
  key: string;
  type: 'add' | 'change' | 'delete';
  old?: Value;
  new?: Value;
}
