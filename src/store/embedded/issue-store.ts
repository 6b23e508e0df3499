import type { Issue } from '../../core/issue.ts';
import type { IssueFilter, IssueStore } from '../port.ts';
import type { Engine } from './engine.ts';
import type { Group } from './group-commit.ts';
import { closeIssue, issueHistory, markAlerted, openIssue, pageOfOpenIssues, reconcile } from './issues.ts';

const PAGE = 100;

export function issueStore(engine: Engine, group: Group): IssueStore {
  return {
    open: async (hostname, name, at) => openIssue(engine, hostname, name, at),
    close: async (hostname, name, at) => closeIssue(engine, hostname, name, at),
    listOpen: (filter) => listOpen(engine, filter ?? {}),
    history: async (filter) => issueHistory(engine, filter),
    markAlerted: async (issues, at) => markAlerted(engine, issues, at),
    reconcile: (hostname, failing, passing, at) =>
      group.commit(() => reconcile(engine, hostname, failing, passing, at)),
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
