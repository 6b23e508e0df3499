import * as v from 'valibot';
import type { siteFileSettings, wantedSettings } from './client-settings.ts';
import { describeAgentIssue } from './describe-agent-issue.ts';

/** What keeps these settings from being ones that may come from a server, in words; the lists of those are client-settings.ts'. */
export function findSettingsFault(
  value: unknown,
  schema: typeof wantedSettings | typeof siteFileSettings,
): string | undefined {
  // a list would do for valibot
  if (Array.isArray(value)) return 'expected a group of keys, found a list';
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return undefined;
  const { path, expected, found } = describeAgentIssue(parsed.issues[0], schema);
  return `${path.join('.') || 'all of it'}: expected ${expected}, found ${found}`;
}
