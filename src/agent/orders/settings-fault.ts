import * as v from 'valibot';
import { wantedSettings } from '../../settings/client-settings.ts';
import { describeAgentIssue } from '../../settings/describe-agent-issue.ts';

/** What keeps these settings from being ones that a server may want of an agent, in words; the list of those is client-settings.ts'. */
export function findSettingsFault(value: unknown): string | undefined {
  // a list would do for valibot
  if (Array.isArray(value)) return 'expected a group of keys, found a list';
  const parsed = v.safeParse(wantedSettings, value);
  if (parsed.success) return undefined;
  const { path, expected, found } = describeAgentIssue(parsed.issues[0], wantedSettings);
  return `${path.join('.') || 'all of it'}: expected ${expected}, found ${found}`;
}
