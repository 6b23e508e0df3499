import type { Answer } from './check.ts';
import type { Milliseconds } from './duration.ts';
import type { Issue } from './issue.ts';
import type { Fields } from './value.ts';

export const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Kinds of machines that a site may choose its checks for (`checks_profile` of the settings). */
export const PROFILES = ['laptop', 'server', 'minimal'] as const;
export type Profile = (typeof PROFILES)[number];

/** What people are told about the issues of one name (from its file in checks.d/). */
export interface CheckCard {
  name: string;
  title: string;
  severity: Severity;
  /** why it matters */
  rationale?: string;
  /** those that it belongs to; all where absent */
  profiles?: Profile[];
  /** business time (24 h are one business day) after opening during which nobody is alerted */
  gracePeriod: Milliseconds;
  /** how long an alerted issue stays quiet */
  alertFrequency: Milliseconds;
  tags: string[];
  enabled: boolean;
  /** what to do about it: distribution as in `plugins.os_info.distname`, lower case, or `default` → text */
  remediation: Record<string, string>;
}

/**
 * Why an open issue is not alerted now, the first that holds: its host is suspended; it is snoozed; its grace period is not over;
 * it was alerted less than its alert frequency ago; a filter of the issue says so (`not-reporting`: a linked machine reports).
 */
export const HIDDEN_BY = ['suspended', 'snoozed', 'grace', 'recent', 'filter'] as const;
export type HiddenBy = (typeof HIDDEN_BY)[number];

/** An open issue with all that is known about it. */
export interface OpenIssue extends Issue {
  title: string;
  severity: Severity;
  /** end of its grace period */
  due_at: Date;
  /** whether the host is suspended: silent until it next reports */
  suspended: boolean;
  /** when its host last reported; absent where it never did, or is no host (a port of the server) */
  submitted_at?: Date;
  /** whom to tell: the host's parameter `user_email` */
  user_email?: string;
  /** of `not-reporting`: a machine of the same user (`user_clients`) that reports */
  linked_to?: string;
  /** why an audit run does not alert about it; absent in `issues list` */
  hidden_by?: HiddenBy;
  /** of the check as last evaluated; absent for an issue that no check of a host's document raised */
  answer?: Answer;
  reason?: string;
  evidence?: Fields;
  /** for this host's distribution */
  remediation?: string;
}

/** Which issues an audit run alerts about. */
export interface AuditOptions {
  /** only of these hosts, in any case */
  hosts?: readonly string[];
  /** only issues of these names */
  names?: readonly string[];
  /** what does not keep an issue from being alerted */
  ignore: readonly HiddenBy[];
  /** a sentence now and then, of a run that takes long */
  progress?: (text: string) => void;
}

/** What one audit run did, and what is open after it. */
export interface AuditReport {
  at: Date;
  /** hosts that were evaluated again, because the checks changed or a deadline passed */
  judged: number;
  opened: { hostname: string; name: string }[];
  closed: { hostname: string; name: string }[];
  /** all open ones that were asked for, by host name, then name */
  issues: OpenIssue[];
  /** those of `issues` that nothing hides: what is to be told, now */
  alerts: OpenIssue[];
  /** how many of `issues` are not among `alerts`, by the first reason that holds */
  hidden: Record<HiddenBy, number>;
  /** what kept a part of the audit from running: a bad check file, a certificate that cannot be read */
  problems: string[];
}

/** The audit as the operator's commands see it. */
export interface Audit {
  /** opens and closes issues, says what is open, and what of it is to be told */
  run(options: AuditOptions): Promise<AuditReport>;
  /** what is open now; opens and closes nothing */
  open(): Promise<OpenIssue[]>;
}
