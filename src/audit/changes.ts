import type { AuditReport } from '../core/audit.ts';

/** What a run opened and closed so far. */
export interface Changes extends Pick<AuditReport, 'opened' | 'closed'> {
  note(hostname: string, names: { opened?: string[]; closed?: string[] }): void;
}

export function noteChanges(): Changes {
  const changes: Pick<AuditReport, 'opened' | 'closed'> = { opened: [], closed: [] };
  return {
    ...changes,
    note(hostname, { opened = [], closed = [] }) {
      changes.opened.push(...opened.map((name) => ({ hostname, name })));
      changes.closed.push(...closed.map((name) => ({ hostname, name })));
    },
  };
}
