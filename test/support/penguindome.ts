import { spawn } from 'node:child_process';

export interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the built `penguindome`, without a terminal. */
export function penguindome(
  args: string[],
  options: { input?: string; env?: Record<string, string> } = {},
): Promise<Ran> {
  const { PENGUINDOME_CONFIG: _, ...inherited } = process.env;
  const child = spawn(process.execPath, ['build/penguindome', ...args], { env: { ...inherited, ...options.env } });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.stdin.end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      resolve({ status, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
    });
  });
}

/** The same, where it has to succeed. @returns standard output */
export async function succeed(args: string[]): Promise<string> {
  const { status, stdout, stderr } = await penguindome(args);
  if (status !== 0) throw new Error(`penguindome ${args.join(' ')}: exit status ${status}: ${stderr}`);
  return stdout;
}
