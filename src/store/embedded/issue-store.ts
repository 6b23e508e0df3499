import type { Issue } from '../../core/issue.ts';
import type { IssueFilter, IssueStore } from '../port.ts';
import type { Engine } from './engine.ts';
import { consequencesFor, issueHistory, pageOfOpenIssues } from './issues.ts';
import type { Write } from './writes.ts';

const PAGE = 100;

export function issueStore(reader: Engine, write: Write): IssueStore {
  return {
    open: (hostname, name, at) => write('openIssue', hostname, name, at),
    close: (hostname, name, at) => write('closeIssue', hostname, name, at),
    listOpen: (filter) => listOpen(reader, filter ?? {}),
    history: async (filter) => issueHistory(reader, filter),
    markAlerted: (issues, at) => write('markAlerted', issues, at),
    reconcile: async (hostname, failing, passing, at) => {
      // The writer is not asked for what is so already.
      const { opened, closed } = consequencesFor(reader, hostname, failing, passing);
      if (opened.length === 0 && closed.length === 0) return { opened, closed };
      return write('reconcile', hostname, failing, passing, at);
    },
  };
}

async function* listOpen(engine: Engine, filter: IssueFilter): AsyncGenerator<Issue> {
  let after = { hostname: '', name: '' };
  for (;;) {
    const page = pageOfOpenIssues(engine, filter, after, PAGE);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last;
  }
}
