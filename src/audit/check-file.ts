import * as z from 'zod';
import { type CheckCard, PROFILES, SEVERITIES } from '../core/audit.ts';
import { days, hours, type Milliseconds, parseDuration } from '../core/duration.ts';
import { BUILT_IN_ISSUES, SERVER_ISSUES } from '../core/issue.ts';
import { fieldFaults, queryFaults, queryPaths } from './query-faults.ts';

/** What follows from an answer that is unknown. */
export type OnUnknown = { follows: 'ignore' } | { follows: 'fail' } | { follows: 'issue-after'; after: Milliseconds };

/** How a check judges a host's document. */
export interface CheckRule {
  query: Record<string, unknown>;
  /** paths without which nothing can be said */
  needs: string[];
  /** decides instead of `needs` when nothing can be said */
  unknown?: Record<string, unknown>;
  onUnknown: OnUnknown;
  /** hosts that the check is for; all where absent */
  appliesTo?: Record<string, unknown>;
}

/** One file of checks.d/. Without a rule: an issue that the product raises by itself, and what is told about it. */
export interface Check extends CheckCard {
  file: string;
  rule?: CheckRule;
  /** the file of an earlier folder whose check it takes the place of */
  replaces?: string;
  /** files of later folders that changed it, the last of them last */
  overriddenBy?: string[];
  /** switched off because it is not for the profile of the settings */
  outsideProfile?: true;
}

const LONGEST = days(3650);

const duration = z.string('expected a duration such as 4h').transform((text, context) => {
  const parsed = parseDuration(text);
  if (parsed !== undefined && parsed <= LONGEST) return parsed;
  context.addIssue({ code: 'custom', message: 'expected a number and s, m, h or d, such as 4h, of at most 3650d' });
  return z.NEVER;
});

const query = z.unknown().transform((value, context): Record<string, unknown> => {
  for (const { path, expected } of queryFaults(value)) {
    context.addIssue({ code: 'custom', path, message: `expected ${expected}` });
  }
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : z.NEVER;
});

const path = z.string().superRefine((text, context) => {
  for (const { expected } of fieldFaults(text, []))
    context.addIssue({ code: 'custom', message: `expected ${expected}` });
});

const onUnknown = z.string().transform((text, context): OnUnknown => {
  if (text === 'ignore' || text === 'fail') return { follows: text };
  const after = parseDuration(/^issue-after (\S+)$/.exec(text)?.[1] ?? '');
  if (after !== undefined && after <= LONGEST) return { follows: 'issue-after', after };
  context.addIssue({
    code: 'custom',
    message: 'expected ignore, fail or issue-after DURATION, such as issue-after 7d',
  });
  return z.NEVER;
});

const text = z.string().trim().min(1);
const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,99}$/, 'expected lower-case letters, digits and hyphens');

const checkFile = z.strictObject({
  name,
  title: text.max(200),
  severity: z.enum(SEVERITIES).default('medium'),
  rationale: text.optional(),
  profiles: z.array(z.enum(PROFILES)).min(1).optional(),
  query: query.optional(),
  needs: z.array(path).min(1).optional(),
  unknown: query.optional(),
  on_unknown: onUnknown.optional(),
  applies_to: query.optional(),
  grace_period: duration.default(0),
  alert_frequency: duration.default(hours(1)),
  remediation: z.union([text, z.record(z.string().min(1), text)]).optional(),
  tags: z.array(text).default([]),
  enabled: z.boolean().default(true),
});
type CheckFile = z.output<typeof checkFile>;

/** A host that hides what a check needs must not stay silent for ever. */
const DEFAULT_ON_UNKNOWN: OnUnknown = { follows: 'issue-after', after: days(7) };

/** The schema of one file of checks.d/ (docs/checks.md), giving the check less the name of its file. */
export const check = checkFile
  .superRefine((file, context) => {
    const builtIn = BUILT_IN_ISSUES.some((each) => each === file.name);
    const refuse = (key: keyof CheckFile, message: string) =>
      context.addIssue({ code: 'custom', path: [key], message });
    if (!builtIn && file.query === undefined)
      refuse('query', `expected a query, as ${file.name} is not raised by the product itself`);
    for (const key of ['query', 'needs', 'unknown', 'on_unknown', 'applies_to'] as const) {
      if (builtIn && file[key] !== undefined)
        refuse(key, `expected none, as ${file.name} is raised by the product itself`);
    }
    if (!file.enabled && SERVER_ISSUES.some((each) => each === file.name))
      refuse('enabled', `expected true or none, as the server raises ${file.name} whatever is said here`);
  })
  .transform((file): Omit<Check, 'file'> => {
    const rule = ruleOf(file);
    return { ...cardOf(file), ...(rule === undefined ? {} : { rule }) };
  });

function cardOf(file: CheckFile): CheckCard {
  const { remediation = {} } = file;
  return {
    name: file.name,
    title: file.title,
    severity: file.severity,
    gracePeriod: file.grace_period,
    alertFrequency: file.alert_frequency,
    tags: file.tags,
    enabled: file.enabled,
    ...(file.rationale === undefined ? {} : { rationale: file.rationale }),
    ...(file.profiles === undefined ? {} : { profiles: file.profiles }),
    remediation: typeof remediation === 'string' ? { default: remediation } : lowerKeys(remediation),
  };
}

function lowerKeys(remediation: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(remediation).map(([key, value]) => [key.toLowerCase(), value]));
}

function ruleOf(file: CheckFile): CheckRule | undefined {
  if (file.query === undefined) return undefined;
  return {
    query: file.query,
    needs: file.needs ?? queryPaths(file.query),
    onUnknown: file.on_unknown ?? DEFAULT_ON_UNKNOWN,
    ...(file.unknown === undefined ? {} : { unknown: file.unknown }),
    ...(file.applies_to === undefined ? {} : { appliesTo: file.applies_to }),
  };
}
