import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { seconds } from '../../../core/duration.ts';
import { isFields } from '../../../core/value.ts';
import { parseJson } from '../../collectors/parse-json.ts';
import { type RunTool, whyFailed } from '../tools.ts';
import type { HeaderFacts } from './disk-facts.ts';
import { readLuksHeader } from './luks-header.ts';

/** How it went; `erased` was checked afterwards. */
export type Erased = { erased: true; how: 'cryptsetup' | 'overwritten' } | { erased: false; why: string };

const LIMIT = { timeout: seconds(60) };
const MEBIBYTE = 1024 * 1024;

/**
 * Erases all key slots of a volume and its tokens, and makes sure that none is left and that the header opens nothing. Where cryptsetup is missing
 * or fails, header and key material are written over. May be done again.
 */
export async function eraseHeader(header: HeaderFacts, run: RunTool): Promise<Erased> {
  const { path } = header;
  const tokens = await tokensOf(path, run);
  const { code, ...said } = await run('cryptsetup', ['erase', '--batch-mode', path], LIMIT);
  for (const token of tokens) await run('cryptsetup', ['token', 'remove', '--token-id', token, path], LIMIT);
  if (code === 0 && (await isEmpty(header, run))) return { erased: true, how: 'cryptsetup' };
  const first = code === 0 ? 'key slots are left' : whyFailed('cryptsetup', { code, ...said });
  try {
    overwrite(path, header.isFile);
    return { erased: true, how: 'overwritten' };
  } catch (error) {
    return { erased: false, why: `${first}; ${error instanceof Error ? error.message : String(error)}` };
  }
}

async function tokensOf(path: string, run: RunTool): Promise<string[]> {
  const { stdout } = await run('cryptsetup', ['luksDump', '--dump-json-metadata', path], LIMIT);
  const json = parseJson(stdout);
  const tokens = isFields(json) ? json['tokens'] : undefined;
  return isFields(tokens) ? Object.keys(tokens).filter((id) => /^\d{1,2}$/.test(id)) : [];
}

/** No key slot is left, of whatever kind, and nothing opens it: there is nothing that could. */
async function isEmpty({ path, version }: HeaderFacts, run: RunTool): Promise<boolean> {
  const json = version === 2 ? ['--dump-json-metadata'] : [];
  const dump = await run('cryptsetup', ['luksDump', ...json, path], LIMIT);
  if (dump.code !== 0 || !hasNoSlot(dump.stdout, version)) return false;
  // Fails before it would ask for anything.
  const opened = await run(
    'cryptsetup',
    ['open', '--test-passphrase', '--batch-mode', '--key-file', '/dev/null', path],
    LIMIT,
  );
  return opened.code !== 0 && opened.problem === undefined;
}

/** @param dump of `cryptsetup luksDump`; of LUKS2 with `--dump-json-metadata` */
export function hasNoSlot(dump: string, version: 1 | 2): boolean {
  if (version === 1) {
    const slots = [...dump.matchAll(/^Key Slot \d: (\w+)$/gm)];
    return slots.length === 8 && slots.every(([, state]) => state === 'DISABLED');
  }
  const json = parseJson(dump);
  const slots = isFields(json) ? json['keyslots'] : undefined;
  return isFields(slots) && Object.keys(slots).length === 0;
}

/** @throws where that cannot be done, or a header is there all the same */
function overwrite(path: string, isFile: boolean): void {
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK | (isFile ? constants.O_NOFOLLOW : 0));
  const read = (offset: number, length: number) => {
    const piece = Buffer.alloc(length);
    return piece.subarray(0, readSync(fd, piece, 0, length, offset));
  };
  try {
    const stats = fstatSync(fd);
    if (!(isFile ? stats.isFile() : stats.isBlockDevice())) throw new Error(`${path} is something else by now`);
    const header = readLuksHeader(read);
    if (header === undefined) throw new Error(`${path} holds no LUKS header`);
    // Where the header does not say how long it is: what cryptsetup makes by itself.
    const length = header.length ?? 16 * MEBIBYTE;
    const end = isFile ? Math.min(length, stats.size) : length;
    for (let at = 0; at < end; ) at += writeSync(fd, randomBytes(Math.min(MEBIBYTE, end - at)), 0, undefined, at);
    fsyncSync(fd);
    if (readLuksHeader(read) !== undefined) throw new Error(`${path} holds a header still`);
  } finally {
    closeSync(fd);
  }
}
