import { resolve } from 'node:path';
import type { Command } from 'commander';
import { messageOf } from '../core/errors.ts';
import type { EventFields, EventName } from '../core/events.ts';
import { loadServerSettings } from '../settings/load-server-settings.ts';
import type { Began, Ended, Operator } from '../store/operator-log/entry.ts';
import { type Appended, type OperatorLog, openOperatorLog, operatorLogPlaces } from '../store/operator-log/open.ts';
import { processStart } from '../store/operator-log/process-start.ts';
import type { AdminContext } from './context.ts';
import { exists } from './ensure-files.ts';
import { layoutOf } from './setup-layout.ts';
import { type GivenOption, tellArguments, tellError } from './told-arguments.ts';
import { UNLOGGED } from './unlogged-commands.ts';

/** What the operator log tells of besides the command line. */
export interface LogWorld {
  version: string;
  pid: number;
  operator(): Promise<Operator>;
  /** to the system's journal; harmless where there is none */
  tell(event: EventName, fields: EventFields): Promise<void>;
}

export interface CommandLog {
  /** what commands name by `context.concerns` */
  concerns(hostnames: Iterable<string>): void;
  /** Writes what came of the command, where one began. Never rejects. */
  ended(status: number, said: string | undefined): Promise<void>;
}

/** A fleet is told whole, what somebody made up is not. */
const MOST_HOSTS = 10_000;

/**
 * Has every command of the tree that is not in UNLOGGED written to the operator log: before it acts, and when it has ended.
 * Where the log cannot be written, the command does not begin. Without settings there is no log yet: what made them is written
 * when it has ended.
 */
export function logCommands(program: Command, context: AdminContext, world: LogWorld): CommandLog {
  const given = new Map<Command, GivenOption[]>();
  listen(program, given);
  const concerned = new Set<string>();
  let begun: Begun | undefined;
  program.hook('preAction', async (_program, command) => {
    const path = pathOf(command);
    if (!UNLOGGED.has(path)) begun = await begin(context, world, { path, command, given: given.get(command) ?? [] });
  });
  return {
    concerns: (hostnames) => {
      for (const hostname of hostnames) concerned.add(hostname);
    },
    ended: async (status, said) => {
      if (begun === undefined) return;
      await end(context, world, begun, { status, said, hosts: [...concerned] }).catch((error: unknown) => {
        context.output.note(`what came of this is not in the operator log: ${messageOf(error)}`);
      });
    },
  };
}

interface Begun {
  entry: Began;
  settingsFile: string;
  secrets: readonly string[];
  /** where the entry is; undefined while there are no settings */
  place: { log: OperatorLog; number: number } | undefined;
}

interface Started {
  path: string;
  command: Command;
  given: readonly GivenOption[];
}

async function begin(context: AdminContext, world: LogWorld, { path, command, given }: Started): Promise<Begun> {
  const told = tellArguments(command, path, given);
  const started = await processStart('self');
  const entry: Began = {
    event: 'began',
    command: path,
    arguments: told.arguments,
    hosts: told.hosts,
    who: await world.operator(),
    version: world.version,
    process: { pid: world.pid, ...(started === undefined ? {} : { started }) },
  };
  const settingsFile = settingsFileOf(context, path, command);
  const log = await findLog(context, settingsFile, path);
  const place = log === undefined ? undefined : { log, number: await write(log, entry, world) };
  if (place === undefined) await world.tell('operator.began', fieldsOf(entry, undefined));
  return { entry, settingsFile, secrets: told.secrets, place };
}

interface Outcome {
  status: number;
  said: string | undefined;
  hosts: string[];
}

async function end(context: AdminContext, world: LogWorld, begun: Begun, outcome: Outcome): Promise<void> {
  const place = begun.place ?? (await beginLate(context, world, begun));
  const { status, said, hosts } = outcome;
  const error = said === undefined ? undefined : tellError(said, begun.secrets);
  const entry: Ended = {
    event: 'ended',
    of: place?.number ?? 0,
    status,
    ...(error === undefined ? {} : { error }),
    hosts: hosts.slice(0, MOST_HOSTS),
    ...(hosts.length > MOST_HOSTS ? { hosts_total: hosts.length } : {}),
  };
  if (place !== undefined) await place.log.append(entry);
  const { command } = begun.entry;
  await world.tell('operator.ended', {
    number: place?.number,
    command,
    status,
    error,
    hosts: hosts.join(' ') || undefined,
  });
}

/** A command that made the settings: now there is a place to write to. */
async function beginLate(context: AdminContext, world: LogWorld, { entry, settingsFile }: Begun) {
  const log = await findLog(context, settingsFile, entry.command);
  return log === undefined ? undefined : { log, number: await write(log, { ...entry, late: true }, world) };
}

async function write(log: OperatorLog, entry: Began, world: LogWorld): Promise<number> {
  const { number, noticed } = await log.append(entry);
  if (noticed !== undefined) await tellNoticed(noticed, world);
  if (entry.late === undefined) await world.tell('operator.began', fieldsOf(entry, number));
  return number;
}

async function tellNoticed({ what, head }: NonNullable<Appended['noticed']>, world: LogWorld): Promise<void> {
  if (what !== 'torn') await world.tell('operator.log-damaged', { what, entries: head?.count });
}

/**
 * @returns undefined where there are no settings that could be used: the command itself says so, or makes them. Nor does the log
 * come before the folder that an interrupted setup has yet to make, and to give to the server's user.
 */
async function findLog({ clock, random }: AdminContext, file: string, path: string): Promise<OperatorLog | undefined> {
  const settings = await loadServerSettings(file).catch(() => undefined);
  if (settings === undefined || (path === 'setup' && !(await exists(settings.state)))) return undefined;
  return openOperatorLog(operatorLogPlaces(settings), { clock, random });
}

function settingsFileOf(context: AdminContext, path: string, command: Command): string {
  const dir: unknown = path === 'setup' ? command.opts()['dir'] : undefined;
  return layoutOf(typeof dir === 'string' ? resolve(dir) : undefined, context.settingsFile()).settings;
}

function fieldsOf({ command, arguments: told, hosts, who }: Began, number: number | undefined): EventFields {
  return {
    number,
    command,
    arguments: told.join(' ') || undefined,
    hosts: hosts.join(' ') || undefined,
    user: who.user ?? String(who.uid),
    login: who.login?.user ?? who.login?.uid,
    sudo: who.sudo,
    address: who.address,
  };
}

/** commander tells each option as it reads it, with its text. */
function listen(command: Command, given: Map<Command, GivenOption[]>): void {
  const options: GivenOption[] = [];
  given.set(command, options);
  for (const option of command.options) {
    command.on(`option:${option.name()}`, (value: string | null | undefined) => {
      options.push({ option, value: value ?? undefined });
    });
  }
  for (const member of command.commands) listen(member, given);
}

/** `hosts lost`: the names behind the program's own. */
export function pathOf(command: Command): string {
  return command.parent === null ? '' : `${pathOf(command.parent)} ${command.name()}`.trim();
}
