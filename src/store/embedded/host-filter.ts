import type { HostFilter } from '../port.ts';
import type { Bindable } from './engine.ts';
import { time } from './row.ts';

/** A filter as SQL over the rows of hosts. */
export function hostCondition(filter: HostFilter): { where: string; values: Bindable[] } {
  const parts: [string, Bindable][] = [];
  if (filter.hostnames)
    parts.push(['hosts.hostname IN (SELECT value FROM json_each(?))', JSON.stringify(filter.hostnames)]);
  if (filter.judged_otherwise) parts.push(['checks_version IS NOT ?', filter.judged_otherwise]);
  if (filter.unsettled) parts.push(['settled = ?', 0]);
  if (filter.deadline_by) parts.push(['checks_deadline_at <= ?', time(filter.deadline_by)]);
  if (filter.silent_since) parts.push(['(submitted_at < ? OR submitted_at IS NULL)', time(filter.silent_since)]);
  return { where: ['1', ...parts.map(([part]) => part)].join(' AND '), values: parts.map(([, value]) => value) };
}
