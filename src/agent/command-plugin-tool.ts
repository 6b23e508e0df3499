/** What plugins ask of the agent (docs/plugins.md): one function per subcommand of `penguindome-agent plugin-tool`. */
import { isAbsolute } from 'node:path';
import type { Milliseconds } from '../core/duration.ts';
import { messageOf, OperatorError } from '../core/errors.ts';
import { collectorTools, isKey, LARGEST_KEPT } from './collector-tools.ts';
import { EXIT } from './exit-codes.ts';
import { graphicalSessions, isOfKind, type SessionKind } from './graphical-sessions.ts';
import { hostAccess } from './host-access.ts';
import { LEVEL_NAMES, logLine } from './plugin-log.ts';
import { settingAt } from './plugin-setting.ts';
import { runInSession } from './run-in-session.ts';
import { type Session, session } from './session.ts';

const MOST_OUTPUT = 4 * 1024 * 1024;

/** Prints `{at, value}` of what was put there. @returns 1 where there is nothing */
export async function toolCacheGet(asked: Session, name: string): Promise<number> {
  const kept = await cacheOf(asked, name).recall(name);
  if (kept === undefined) return EXIT.failed;
  asked.context.write(`${JSON.stringify({ at: kept.at.toISOString(), value: kept.value })}\n`);
  return EXIT.ok;
}

/** Keeps the JSON value that stands on standard input. */
export async function toolCachePut(asked: Session, name: string): Promise<number> {
  const cache = cacheOf(asked, name);
  const text = await asked.context.readInput(LARGEST_KEPT);
  // Room for the time beside it.
  if (Buffer.byteLength(text) > LARGEST_KEPT - 100) {
    throw new OperatorError(`cannot keep ${name}: more than ${LARGEST_KEPT - 100} bytes`);
  }
  await cache.keep(name, parsed(name, text));
  return EXIT.ok;
}

export async function toolStateDirectory(asked: Session): Promise<number> {
  asked.context.write(`${folderIn(asked, 'PENGUINDOME_STATE_DIRECTORY')}\n`);
  return EXIT.ok;
}

/** A text as it is, without --json; all else as JSON. @returns 1 where nothing is set */
export async function toolSetting(asked: Session, path: string): Promise<number> {
  const { environment, write } = asked.context;
  const config = environment['PENGUINDOME_CONFIG'];
  const settings = await (config === undefined ? asked : session(asked.context, { config })).settings();
  const value = settingAt(settings, path, environment['PENGUINDOME_PLUGIN']);
  if (value === undefined) return EXIT.failed;
  write(typeof value === 'string' && !asked.output.wantsJson ? `${value}\n` : `${JSON.stringify(value)}\n`);
  return EXIT.ok;
}

/** To standard error, in the form that the agent looks for there. */
export async function toolLog({ context }: Session, level: string, message: string): Promise<number> {
  const line = logLine(level, message);
  if (line === undefined) throw usage(`cannot log: ${level} is none of ${LEVEL_NAMES.join(', ')}`);
  context.writeError(line);
  return EXIT.ok;
}

/** Names, one a line; with --json all that is known of the sessions. @returns 1 where nobody knows who is logged in */
export async function toolUsers(asked: Session, kind: SessionKind): Promise<number> {
  const { context, output } = asked;
  let sessions: Awaited<ReturnType<typeof graphicalSessions>>;
  try {
    sessions = (await graphicalSessions(hostAccess(context))).filter((one) => isOfKind(one, kind));
  } catch (error) {
    throw new OperatorError(messageOf(error), { cause: error });
  }
  output.json(sessions);
  for (const user of new Set(sessions.map((one) => one.user))) output.line(user);
  return EXIT.ok;
}

/** Prints what the command prints. @returns its exit status */
export async function toolUserRun(
  { context, output }: Session,
  user: string,
  command: readonly [string, ...string[]],
  timeout: Milliseconds,
): Promise<number> {
  const limits = { timeout, maxOutput: MOST_OUTPUT };
  const { code, problem, stdout, stderr } = await runInSession(hostAccess(context), context.uid, user, command, limits);
  context.write(stdout);
  context.writeError(stderr);
  if (problem !== undefined) output.note(`penguindome-agent: cannot finish ${command[0]} as ${user}: ${problem}`);
  return code ?? EXIT.failed;
}

function cacheOf(asked: Session, name: string) {
  if (!isKey(name)) throw usage(`cannot keep anything as ${name}: not letters, digits, - and _`);
  const folder = folderIn(asked, 'PENGUINDOME_CACHE_DIRECTORY');
  // Who only keeps something asks for none of them.
  const settings = { collect_interval: 0, submit_interval: 0, collectors: { disabled: [], enabled: [] } };
  return collectorTools({ folder, clock: asked.context.clock, settings, keeps: true });
}

/** Whether it is thrown away afterwards, the agent decided that started the plugin. */
function folderIn({ context }: Session, variable: string): string {
  const folder = context.environment[variable];
  if (folder !== undefined && isAbsolute(folder)) return folder;
  throw usage(`cannot tell whose: ${variable} is not set, which it is for plugins that the agent runs`);
}

function parsed(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new OperatorError(`cannot keep ${name}: no JSON value on standard input`, { exitCode: EXIT.usage, cause });
  }
}

function usage(message: string): OperatorError {
  return new OperatorError(message, { exitCode: EXIT.usage });
}
