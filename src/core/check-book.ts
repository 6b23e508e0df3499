import type { Profile, Severity } from './audit.ts';
import type { CheckResult, Judgement } from './check.ts';
import type { Host } from './host.ts';
import type { Value } from './value.ts';

/** A check as it is in force, in the words of its file; null where it says nothing. */
export interface KnownCheck {
  name: string;
  title: string;
  severity: Severity;
  rationale: string | null;
  /** null: all */
  profiles: Profile[] | null;
  on: boolean;
  /** `file`: `enabled: false`; `profile`: it is not for that of the settings */
  off_by: 'file' | 'profile' | null;
  /** the file that holds it */
  file: string;
  /** whether it comes with the product */
  shipped: boolean;
  /** the file of an earlier folder whose check it takes the place of */
  replaces: string | null;
  /** files that changed it, the last of them last */
  overridden_by: string[];
  /** null: the product itself raises the issue */
  rule: KnownRule | null;
  grace_period: string;
  alert_frequency: string;
  tags: string[];
  /** by distribution, or `default` */
  remediation: Record<string, string>;
}

export interface KnownRule {
  query: Record<string, unknown>;
  needs: string[];
  unknown: Record<string, unknown> | null;
  on_unknown: string;
  applies_to: Record<string, unknown> | null;
}

/** One line of a query, and how it turned out. `holds` is null where it cannot be evaluated. */
export type Clause =
  | { path: string; condition: unknown; found: Value; holds: boolean | null }
  | { operator: '$and' | '$or' | '$nor'; holds: boolean | null; of: Clauses[] };

/** A query: holds where all of its clauses do. */
export interface Clauses {
  holds: boolean | null;
  clauses: Clause[];
}

/** How a check comes to its answer about a host. What was not asked, because an earlier step decided, is null. */
export interface Explanation {
  /** absent in the check: it is for all hosts */
  applies_to: Clauses | null;
  needs: { path: string; found: Value; missing: string | null }[] | null;
  unknown: Clauses | null;
  query: Clauses | null;
  decided_by: 'applies_to' | 'needs' | 'unknown' | 'query' | 'fault';
  /** null: the check is not for this host */
  result: CheckResult | null;
}

/** A check that judges hosts without anything being stored. */
export interface Trial {
  check: KnownCheck;
  /** @returns undefined for a host that the check is not for */
  judge(host: Host): CheckResult | undefined;
  explain(host: Host): Explanation;
}

/** The checks in force as the operator's commands see them. */
export interface CheckBook {
  /** by name, those that are off too */
  checks: readonly KnownCheck[];
  /** what could not be used, a line each */
  problems: readonly string[];
  /** of the set, as in a host's judgement */
  version: string;
  profile: Profile | null;
  /** What was last said of the host, with the evidence and the reasons that are not stored: they are made again from what it reported. */
  recall(host: Host): Judgement | undefined;
  /** @returns undefined where there is no such check, or it has no query; one that is off is tried as if it were on */
  trial(name: string): Trial | undefined;
  /**
   * Tries a file that need not be in force; an override changes the check that is.
   * @throws OperatorError naming line and reason, where it cannot be used or has no query
   */
  tryFile(file: string): Promise<Trial>;
}
