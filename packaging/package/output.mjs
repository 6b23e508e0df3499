import { spawnSync } from 'node:child_process';

/** Runs a program to its end. @returns what it printed @throws with what it said where it fails */
export function output(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    ...options,
  });
  if (status === 0) return stdout;
  throw new Error(`cannot run ${command} ${args.join(' ')}: ${error?.message ?? `${stdout}${stderr}`}`);
}
