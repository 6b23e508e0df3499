import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { machine as thisMachine } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { messageOf, OperatorError } from '../../core/errors.ts';
import { EXIT } from '../exit-codes.ts';

const run = promisify(execFile);

/** A Node that runs where it is put, with nothing of its distribution beside it but the C and C++ libraries. */
export interface Runtime {
  content: Uint8Array;
  license: string | undefined;
  /** as `uname -m` says it */
  machine: string;
  /** the oldest that it is linked against */
  glibc: string;
}

/** e_machine of the ELF header (elf(5)). */
const MACHINES: Readonly<Record<number, string>> = { 62: 'x86_64', 183: 'aarch64' };

/** @throws OperatorError for what is no such Node */
export async function readRuntime(file: string): Promise<Runtime> {
  const content = await readFile(file).catch((cause: unknown) => {
    throw new OperatorError(
      `cannot read ${file}: ${messageOf(cause)}; install penguindome-runtime here, name a Node of nodejs.org with --runtime FILE, or leave it out (--no-runtime) for machines that have Node 18.19 or newer`,
      { exitCode: EXIT.usage, cause },
    );
  });
  const refuse = (why: string) => new OperatorError(`cannot use ${file}: ${why}`, { exitCode: EXIT.usage });
  if (content.subarray(0, 4).toString('latin1') !== '\u007fELF') throw refuse('it is no program for Linux');
  const machine = MACHINES[content.readUInt16LE(18)];
  if (machine === undefined)
    throw refuse(`it is for another kind of machine; expected ${Object.values(MACHINES).join(' or ')}`);
  const glibc = newestGlibc(content);
  if (glibc === undefined) throw refuse('it is not made for glibc; take a Node of nodejs.org');
  if (machine === thisMachine()) await refuseShared(file, refuse);
  return { content, license: await licenseOf(file), machine, glibc };
}

/** The newest version of its symbols that it asks of the C library. */
function newestGlibc(content: Buffer): string | undefined {
  const mark = 'GLIBC_2.';
  let newest = -1;
  for (let at = content.indexOf(mark); at !== -1; at = content.indexOf(mark, at + 1)) {
    const behind = content.subarray(at + mark.length, at + mark.length + 3).toString('latin1');
    newest = Math.max(newest, Number(/^\d{1,2}(?!\d)/.exec(behind)?.[0] ?? -1));
  }
  return newest === -1 ? undefined : `2.${newest}`;
}

const NODE_SAYS = z.tuple([z.string(), z.record(z.string(), z.unknown())]);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Distributions build Node of libraries that other ones do not have. */
async function refuseShared(file: string, refuse: (why: string) => OperatorError): Promise<void> {
  const script = 'console.log(JSON.stringify([process.versions.node, process.config.variables]))';
  const { stdout } = await run(resolve(file), ['-e', script], { env: {} }).catch((cause: unknown) => {
    throw refuse(`it does not run here: ${messageOf(cause)}`);
  });
  const said = NODE_SAYS.safeParse(parsed(stdout));
  if (!said.success) throw refuse('it is no Node');
  const [version, variables] = said.data;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < 18 || (major === 18 && minor < 19)) throw refuse(`it is Node ${version}, and the agent needs 18.19`);
  const shared = Object.entries(variables).find(
    ([name, value]) => name.startsWith('node_shared') && String(value) === 'true',
  );
  if (shared !== undefined)
    throw refuse(
      `it needs libraries of this distribution (${shared[0]}); take penguindome-runtime's, or one of nodejs.org`,
    );
}

/** Where nodejs.org has it, and where packages have it. */
async function licenseOf(file: string): Promise<string | undefined> {
  const folder = dirname(resolve(file));
  const share = join(folder, '../../../../share');
  const places = [
    join(folder, 'LICENSE'),
    join(folder, '../LICENSE'),
    join(folder, '../copyright/penguindome-runtime'),
    join(share, 'doc/penguindome-runtime/copyright'),
    join(share, 'licenses/penguindome-runtime/copyright'),
  ];
  for (const place of places) {
    const text = await readFile(place, 'utf8').catch(() => undefined);
    if (text !== undefined) return text;
  }
  return undefined;
}
