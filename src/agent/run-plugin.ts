import { formatDuration, type Milliseconds } from '../core/duration.ts';
import { bodyOfJson, failed, type Result } from './body.ts';
import type { CommandResult } from './collector.ts';
import type { Plugin } from './find-plugins.ts';
import { runCommand } from './run-command.ts';

export interface PluginLimits {
  timeout: Milliseconds;
  maxOutput: number;
}

/** Runs one plugin: no arguments, JSON on its standard output. Never rejects. */
export async function runPlugin(
  { name, path }: Plugin,
  { timeout, maxOutput }: PluginLimits,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Result> {
  const result = await runCommand({ path, args: [], timeout, maxOutput, env, signal });
  const { stdout, stderr } = result;
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
  return problem === 'denied' ? 126 : -9;
}
