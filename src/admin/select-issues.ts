import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import type { IssueFilter, IssueOf, Store } from '../store/port.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';

/** Which issues a command is to do something to. */
export interface Selection {
  host?: string[];
  issueName?: string[];
  all?: true;
}

/** A command over open issues that `--host` and `--issue-name` choose. */
export function selectingCommand(verb: string): Command {
  return new Command(verb)
    .option('--host <host...>', 'only issues of these hosts')
    .option('--issue-name <name...>', 'only issues of these names')
    .option('--all', 'needed where neither is said: every open issue of every host');
}

/** @throws OperatorError where it would mean everything, and nobody said so */
export async function filterOf(store: Store, verb: string, { host, issueName, all }: Selection): Promise<IssueFilter> {
  if (host === undefined && issueName === undefined && all !== true) {
    throw new OperatorError(
      `cannot ${verb} every issue of every host unless --all says so; choose some by --host or --issue-name`,
      { exitCode: EXIT.usage },
    );
  }
  return {
    ...(host === undefined ? {} : { hostnames: await spellingsOf(store, host) }),
    ...(issueName === undefined ? {} : { names: issueName }),
  };
}

/** As typed (issues outlive their hosts, and a port of the server has some), and as the hosts there are spell it. */
export async function spellingsOf({ hosts }: Pick<Store, 'hosts'>, names: readonly string[]): Promise<string[]> {
  const known = await Promise.all(names.map((name) => hosts.namesakes(name)));
  return [...new Set([...names, ...known.flat().map(({ hostname }) => hostname)])];
}

/** A line for each, or that there was none. */
export function tellDone(
  { output, concerns }: AdminContext,
  issues: readonly IssueOf[],
  done: string,
  none: string,
): void {
  concerns(issues.map(({ hostname }) => hostname));
  if (output.wantsJson) output.json(issues);
  else if (issues.length === 0) output.note(none);
  else for (const { hostname, name } of issues) output.line(`${hostname} ${name}: ${done}`);
}
