import type { OutboxEntry } from '../core/delivery.ts';
import { groupBy } from './group-by.ts';
import type { TemplateData } from './template.ts';

/** What templates are filled with. @param server the host of `public_url` */
export function templateData(
  entries: readonly OutboxEntry[],
  { server, test }: { server: string; test: boolean },
): TemplateData {
  const hosts = groupBy(entries, ({ hostname }) => hostname);
  return {
    test: test ? 'test' : '',
    server,
    count: String(entries.length),
    summary: summaryOf(entries, [...hosts.keys()]),
    hosts: [...hosts].map(([host, issues]) => ({ host, issues: issues.map(issueData) })),
  };
}

function summaryOf(entries: readonly OutboxEntry[], hosts: readonly string[]): string {
  const [first] = entries;
  if (first !== undefined && entries.length === 1) return `${first.hostname}: ${first.title}`;
  const on = hosts.length === 1 ? (hosts[0] ?? '') : `${hosts.length} hosts`;
  return `${entries.length} issues on ${on}`;
}

function issueData({ name, title, severity, opened_at, reason, remediation = '' }: OutboxEntry): TemplateData {
  const text = remediation.trim();
  return {
    issue: name,
    title,
    severity,
    since: `${opened_at.toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    reason: reason ?? '',
    remediation: text,
    steps: text === '' ? [] : text.split('\n').map((step) => ({ step })),
  };
}
