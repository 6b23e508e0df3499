/** One episode of one problem of one host (collection `issues`). Open: no `closed_at`. */
export interface Issue {
  hostname: string;
  name: string;
  opened_at: Date;
  closed_at?: Date;
  alerted_at?: Date;
  snoozed_at?: Date;
  unsnooze_at?: Date;
  unsnoozed_at?: Date;
}

/** Issues that the server or the audit raises by itself, not from a check file over a host's document. */
export const BUILT_IN_ISSUES = [
  'not-reporting',
  'deprecated-port',
  'expiring-certificate',
  'duplicate-hostname',
  'cloned-identity',
  'downgraded-identity',
] as const;

/** Those of them that the server raises as hosts connect, whatever a check says. */
export const SERVER_ISSUES = [
  'deprecated-port',
  'duplicate-hostname',
  'cloned-identity',
  'downgraded-identity',
] as const satisfies readonly (typeof BUILT_IN_ISSUES)[number][];
export type BuiltInIssue = (typeof BUILT_IN_ISSUES)[number];
