import { formatDuration, type Milliseconds } from '../core/duration.ts';
import { messageOf } from '../core/errors.ts';
import { bodyOfJson, failed, type Result } from './body.ts';
import type { CommandResult } from './collector.ts';
import type { Plugin } from './find-plugins.ts';
import type { Gatherer } from './gather.ts';
import { loggedLines } from './plugin-log.ts';
import type { PluginRoom } from './plugin-room.ts';
import { runCommand } from './run-command.ts';

interface PluginLimits {
  timeout: Milliseconds;
  maxOutput: number;
}

/** What running a plugin takes. */
export type PluginKit = Pick<Gatherer, 'settings' | 'env' | 'roomFor' | 'say'>;

/** As a shell tells that something is there and cannot be run. */
export const NOT_RUN = 126;

/** Runs one plugin: no arguments, JSON on its standard output, what docs/plugins.md says in its environment. Never rejects. */
export async function runPlugin(plugin: Plugin, kit: PluginKit, signal: AbortSignal): Promise<Result> {
  const { name } = plugin;
  let room: PluginRoom;
  try {
    room = await kit.roomFor(name);
  } catch (error) {
    const reason = `cannot give it a place for its state: ${messageOf(error)}`;
    return failed(name, { returncode: NOT_RUN, stdout: '', stderr: '', reason });
  }
  try {
    return await runIn(room, plugin, kit, signal);
  } finally {
    // What a plugin left behind may still write to a copy that is being thrown away: that is no failure of its result.
    await room.leave().catch(() => undefined);
  }
}

async function runIn(
  room: PluginRoom,
  { name, path }: Plugin,
  { settings, env, say }: PluginKit,
  signal: AbortSignal,
): Promise<Result> {
  const { timeout, max_output: maxOutput } = settings.plugins;
  const own = {
    PENGUINDOME_CACHE_DIRECTORY: room.cache,
    PENGUINDOME_PLUGIN: name,
    PENGUINDOME_STATE_DIRECTORY: room.state,
  };
  const result = await runCommand({ path, args: [], timeout, maxOutput, env: { ...env, ...own }, signal });
  const { stdout, stderr } = result;
  for (const line of loggedLines(stderr)) say(`${name}: ${line}`);
  if (result.code !== 0) {
    const reason = reasonOf(result, { timeout, maxOutput });
    return failed(name, { returncode: returncodeOf(result), stdout, stderr, reason });
  }
  const body = bodyOfJson(stdout);
  return 'text' in body ? { name, text: body.text } : failed(name, { returncode: 0, stdout, stderr, ...body });
}

function reasonOf({ code, problem }: CommandResult, { timeout, maxOutput }: PluginLimits): string {
  switch (problem) {
    case undefined:
      return `it ended with status ${code}`;
    case 'missing':
      return 'it, or the interpreter that it names, is missing';
    case 'denied':
      return 'it may not be run';
    case 'timed-out':
      return `it did not end within ${formatDuration(timeout)}`;
    case 'too-much-output':
      return `it wrote more than ${maxOutput} bytes`;
    case 'killed':
      return 'a signal ended it';
    default:
      return problem satisfies never;
  }
}

/** As a shell and the original tell it. */
function returncodeOf({ code, problem }: CommandResult): number {
  if (code !== null) return code;
  if (problem === 'missing') return 127;
  return problem === 'denied' ? NOT_RUN : -9;
}
