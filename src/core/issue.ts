/** One episode of one problem of one host (collection `issues`). Open: no `closed_at`. */
export interface Issue {
  hostname: string;
  name: string;
  opened_at: Date;
  closed_at?: Date;
  alerted_at?: Date;
  snoozed_at?: Date;
  /** until when nobody is alerted */
  unsnooze_at?: Date;
  unsnoozed_at?: Date;
  /** an operator opened it: it closes when its check passes, or by hand */
  by_hand?: true;
}

/** An episode that an operator closed: no other one opens until newer data show it. */
export interface HeldIssue extends Pick<Issue, 'hostname' | 'name'> {
  closed_at: Date;
}

/** Whoever ends a snooze moves its end to that moment, as the original does. */
export function isSnoozed({ unsnooze_at }: Pick<Issue, 'unsnooze_at'>, at: Date): boolean {
  return unsnooze_at !== undefined && unsnooze_at > at;
}

/** Issues that the server or the audit raises by itself, not from a check file over a host's document. */
export const BUILT_IN_ISSUES = [
  'not-reporting',
  'deprecated-port',
  'expiring-certificate',
  'pending-patches',
  'duplicate-hostname',
  'cloned-identity',
  'downgraded-identity',
  'order-refused',
  'receipts-broken',
] as const;

/** Those of them that the server raises as hosts connect, whatever a check says. */
export const SERVER_ISSUES = [
  'deprecated-port',
  'duplicate-hostname',
  'cloned-identity',
  'downgraded-identity',
  'order-refused',
  'receipts-broken',
] as const satisfies readonly (typeof BUILT_IN_ISSUES)[number][];
export type BuiltInIssue = (typeof BUILT_IN_ISSUES)[number];
