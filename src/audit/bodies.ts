import { type Fields, getField, isFields } from '../core/value.ts';
import { ADVISORIES } from './advisories.ts';
import { AGENT } from './agent-version.ts';
import type { CheckRule } from './check-file.ts';
import { queryPaths } from './query-faults.ts';

/** What is reported as one: a plugin, or the result of a command. */
export interface Body {
  part: 'plugins' | 'commands';
  name: string;
}

/** The bodies that a rule looks at; undefined where it looks at anything else of the host. */
export function bodiesOf({ query, needs, unknown = {}, appliesTo = {} }: CheckRule): Body[] | undefined {
  const paths = [...needs, ...[query, unknown, appliesTo].flatMap(queryPaths)];
  const bodies = paths.flatMap((path) => bodyAt(path) ?? []);
  return bodies.length === paths.length ? bodies : undefined;
}

function bodyAt(path: string): Body | undefined {
  const [part, name] = path.split('.');
  // Advisories are matched against what is installed: they change with that, or with the judge.
  if (part === ADVISORIES) return { part: 'plugins', name: 'packages' };
  if (part === AGENT) return { part: 'plugins', name: 'agent' };
  return (part === 'plugins' || part === 'commands') && name !== undefined ? { part, name } : undefined;
}

/** Whether a body is the very same value in both documents: compared by identity, so that it costs nothing. */
export function unchangedBodies(seen: Fields, document: Fields): (body: Body) => boolean {
  return ({ part, name }) => {
    const [then, now] = [getField(seen, part), getField(document, part)];
    if (!isFields(then) || !isFields(now)) return then === now;
    return getField(then, name) === getField(now, name);
  };
}
