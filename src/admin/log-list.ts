import { Command, InvalidArgumentError } from 'commander';
import { parseDuration } from '../core/duration.ts';
import { isSameName } from '../core/host.ts';
import type { Began, Ended, Entry, Link, Operator } from '../store/operator-log/entry.ts';
import { operatorLogPlaces, readLogText } from '../store/operator-log/open.ts';
import { processStart } from '../store/operator-log/process-start.ts';
import { readEntries } from '../store/operator-log/read-entries.ts';
import type { AdminContext } from './context.ts';
import { readCount } from './read-count.ts';
import { showTime } from './show-time.ts';

interface ListOptions {
  since?: Since;
  user?: string;
  host?: string;
  command?: string;
  limit: number;
}

export function logList(context: AdminContext): Command {
  return new Command('list')
    .description('what operators did: who, when, which command, on which hosts, and what came of it')
    .option(
      '--since <time>',
      'only from then on, such as 2026-03-02, 2026-03-02T10:00Z, or 7d for the last 7 days',
      readSince,
    )
    .option('--user <name>', 'only of this user: by the login, by sudo, or as whom the command ran')
    .option('--host <host>', 'only what concerned this host')
    .option('--command <command>', "only this command, or group of commands, such as 'hosts lost' or hosts")
    .option('--limit <n>', 'the last ones, how many at most', readCount, 100)
    .addHelpText('after', EXAMPLES)
    .action((options: ListOptions) => listLog(context, options));
}

const EXAMPLES = `
The last line is the newest. Commands that only read are not logged, nor is what a timer does (issues audit). Values that may be
secret are left out. RESULT is the exit status, with the error's first line; "cut off": the command, or the machine, was killed.
\`penguindome log verify\` says whether anybody changed the log.

Examples:
  penguindome log list
  penguindome log list --since 7d --command hosts
  penguindome log list --host lap-17 --json | jq -r '.[].who.user'`;

/** A command as one: what it was to do, and what came of it. */
interface Deed {
  number: number;
  at: Date;
  command: string;
  arguments: string[];
  hosts: string[];
  hosts_total: number | null;
  who: Operator;
  version: string;
  late: boolean;
  result: 'done' | 'failed' | 'running' | 'cut off';
  status: number | null;
  error: string | null;
  ended_at: Date | null;
}

async function listLog(context: AdminContext, options: ListOptions): Promise<void> {
  const { output, clock } = context;
  const { path } = operatorLogPlaces(await context.settings());
  const all = await deedsOf(readEntries(await readLogText(path)));
  const since = options.since?.(clock.now());
  const wanted = all.filter(
    (deed) =>
      (since === undefined || deed.at >= since) &&
      (options.user === undefined || namesOf(deed.who).includes(options.user)) &&
      (options.host === undefined || deed.hosts.some((host) => isSameName(host, options.host ?? ''))) &&
      (options.command === undefined || `${deed.command} `.startsWith(`${options.command} `)),
  );
  const shown = wanted.slice(-options.limit);
  if (output.wantsJson) output.json(shown);
  else if (shown.length === 0)
    output.note(all.length === 0 ? 'nothing is logged yet' : 'nothing in the log is like that');
  else output.table(['AT', 'WHO', 'COMMAND', 'HOSTS', 'RESULT'], shown.map(rowOf));
}

async function deedsOf(entries: readonly Entry[]): Promise<Deed[]> {
  const ends = new Map<number, Ended & Link>();
  for (const entry of entries) if (entry.event === 'ended') ends.set(entry.of, entry);
  const deeds: Deed[] = [];
  for (const entry of entries) {
    if (entry.event === 'began') deeds.push(await deedOf(entry, ends.get(entry.number)));
  }
  return deeds;
}

async function deedOf(entry: Began & Link, end: (Ended & Link) | undefined): Promise<Deed> {
  const { number, at, command, who, version, late } = entry;
  return {
    number,
    at,
    command,
    arguments: entry.arguments,
    // as they are stored; a command that did not come that far knows only what was typed
    hosts: end === undefined || end.hosts.length === 0 ? entry.hosts : end.hosts,
    hosts_total: end?.hosts_total ?? null,
    who,
    version,
    late: late === true,
    result: end === undefined ? await isRunning(entry) : end.status === 0 ? 'done' : 'failed',
    status: end?.status ?? null,
    error: end?.error ?? null,
    ended_at: end?.at ?? null,
  };
}

async function isRunning({ process: { pid, started } }: Began): Promise<'running' | 'cut off'> {
  return started !== undefined && (await processStart(pid)) === started ? 'running' : 'cut off';
}

function rowOf(deed: Deed): string[] {
  const { at, who, command, hosts, hosts_total, result, status, error } = deed;
  const [first, ...others] = hosts;
  const more = (hosts_total ?? hosts.length) - 1;
  const which = first === undefined ? '-' : others.length === 0 ? first : `${first} and ${more} more`;
  const failure = `${status}${error === null ? '' : `: ${error}`}`;
  return [
    showTime(at),
    showWho(who),
    [command, ...deed.arguments].join(' '),
    which,
    result === 'failed' ? failure : result,
  ];
}

/** The login goes before the user whose rights were used. */
function showWho(who: Operator): string {
  const [first, ...others] = [...new Set(namesOf(who))];
  const as = others.length === 0 ? '' : ` as ${others.at(-1)}`;
  return `${first ?? who.uid}${as}`;
}

function namesOf({ uid, user, login, sudo }: Operator): string[] {
  return [login === undefined ? undefined : (login.user ?? String(login.uid)), sudo, user ?? String(uid)].filter(
    (name) => name !== undefined,
  );
}

type Since = (now: Date) => Date;

function readSince(text: string): Since {
  const duration = parseDuration(text);
  if (duration !== undefined) return (now) => new Date(now.getTime() - duration);
  const time = new Date(text);
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(time.getTime())) {
    throw new InvalidArgumentError(
      'Expected a time such as 2026-03-02 or 2026-03-02T10:00Z, or how long ago, such as 7d.',
    );
  }
  return () => time;
}
