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

/** An open issue with all that is known about it. */
export interface OpenIssue extends Issue {
  title: string;
  severity: Severity;
  /** end of its grace period */
  due_at: Date;
  /** whether the host is suspended: silent until it next reports */
  suspended: boolean;
  /** of the check as last evaluated; absent for an issue that no check of a host's document raised */
  answer?: Answer;
  reason?: string;
  evidence?: Fields;
  /** for this host's distribution */
  remediation?: string;
}

/** What one audit run did, and what is open after it. */
export interface AuditReport {
  at: Date;
  /** hosts that were evaluated again, because the checks changed or a deadline passed */
  judged: number;
  opened: { hostname: string; name: string }[];
  closed: { hostname: string; name: string }[];
  /** by host name, then name */
  issues: OpenIssue[];
  /** what kept a part of the audit from running: a bad check file, a certificate that cannot be read */
  problems: string[];
}

/** The audit as the operator's commands see it. */
export interface Audit {
  /** opens and closes issues, and says what is open */
  run(): Promise<AuditReport>;
  /** what is open now; opens and closes nothing */
  open(): Promise<OpenIssue[]>;
}
