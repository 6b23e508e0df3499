import type { Issue } from '../../core/issue.ts';
import type { IssueFilter, IssueOf, IssueStore } from '../port.ts';
import type { Engine } from './engine.ts';
import { consequencesFor, issueHistory, pageOfOpenIssues } from './issues.ts';
import { heldIssues } from './issues-by-hand.ts';
import type { Write } from './writes.ts';

const PAGE = 500;

export function issueStore(reader: Engine, write: Write): IssueStore {
  return {
    open: (hostname, name, at, shown_at) => write('openIssue', hostname, name, at, shown_at ?? at),
    close: (hostname, name, at) => write('closeIssue', hostname, name, at),
    listOpen: (filter) => listOpen(reader, filter ?? {}),
    history: async (filter) => issueHistory(reader, filter),
    markAlerted: (issues, at) => markAlerted(write, issues, at),
    reconcile: async (hostname, failing, passing, at, shown_at = at) => {
      // The writer is not asked for what is so already.
      const { opened, closed } = consequencesFor(reader, { hostname, failing, passing, shown_at });
      if (opened.length === 0 && closed.length === 0) return { opened, closed };
      return write('reconcile', hostname, failing, passing, at, shown_at);
    },
    openByHand: (hostname, name, at) => write('openByHand', hostname, name, at),
    snooze: (filter, until, at) => write('snooze', filter, until, at),
    unsnooze: (filter, at) => write('unsnooze', filter, at),
    closeByHand: (filter, at) => write('closeByHand', filter, at),
    listHeld: async () => heldIssues(reader),
    release: (held) => write('release', held),
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

/** Others have their turn after each. */
const MARKED_AT_ONCE = 2000;

async function markAlerted(write: Write, issues: readonly IssueOf[], at: Date): Promise<void> {
  for (let from = 0; from < issues.length; from += MARKED_AT_ONCE) {
    await write('markAlerted', issues.slice(from, from + MARKED_AT_ONCE), at);
  }
}
