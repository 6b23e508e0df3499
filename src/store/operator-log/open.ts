import { constants } from 'node:fs';
import { chown, type FileHandle, mkdir, open, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, OperatorError } from '../../core/errors.ts';
import type { Clock, Random } from '../../core/world.ts';
import { syncFolder } from '../../settings/atomic-write.ts';
import { withLock } from '../../settings/lock-file.ts';
import type { ServerSettings } from '../../settings/server-settings.ts';
import { digestOfText } from '../../wire/v2/digest.ts';
import { BEGINNING, type Content, readEntry, writeEntry } from './entry.ts';
import { codeOf, type Head, readHeadIfOurs, writeHead } from './head.ts';
import { lastLine } from './last-line.ts';

/**
 * What operators did, one JSON object a line, each with the hash of the one before it. Commands append to it; nobody ever rewrites it.
 *
 * The log is in the server's state folder. Its head (head.ts) is in that of the site's CA, which is root's own in a whole system:
 * who takes the server over can write to the log, but takes away no line that root's commands have seen there.
 */
export interface OperatorLog {
  readonly path: string;
  /**
   * Adds an entry behind all others, and before it one about what was found wrong at the end. On disk when it resolves: the entry,
   * then the head; stopped between the two, the log is only longer than its head says.
   * @throws OperatorError where it cannot be written; then there is no such entry
   */
  append(content: Content): Promise<Appended>;
}

export interface Appended {
  number: number;
  /** what was found wrong, and said in an entry of its own */
  noticed: (Content & { event: 'noticed' }) | undefined;
}

export interface LogPlaces {
  path: string;
  head: string;
}

export const HEAD_FILE = 'operator-log.head';

export function operatorLogPlaces({ state, pki }: Pick<ServerSettings, 'state' | 'pki'>): LogPlaces {
  return { path: join(state, 'operator.log'), head: join(pki, HEAD_FILE) };
}

export function openOperatorLog(places: LogPlaces, world: { clock: Clock; random: Random }): OperatorLog {
  return { path: places.path, append: (content) => append(places, world, content) };
}

/** Whoever interrupts a command is to find it in the log none the less. */
const UNINTERRUPTED = new AbortController().signal;

async function append(
  places: LogPlaces,
  { clock, random }: { clock: Clock; random: Random },
  content: Content,
): Promise<Appended> {
  const { path } = places;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o750 });
    const work = () => appendAlone(places, content, clock.now());
    return await withLock({ random, signal: UNINTERRUPTED }, `${path}.lock`, work, 'write the operator log');
  } catch (cause) {
    if (cause instanceof OperatorError) throw cause;
    throw new OperatorError(`cannot write the operator log ${path}: ${messageOf(cause)}; ${adviceFor(cause)}`, {
      ...(isFull(cause) ? { exitCode: 75 } : {}),
      cause,
    });
  }
}

function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(codeOf(error) ?? '');
}

function adviceFor(error: unknown): string {
  if (isFull(error)) return 'make room on that disk and try again';
  if (['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error) ?? '')) return "run as root, or as the server's user";
  return 'nothing is done that cannot be logged';
}

async function appendAlone({ path, head: headPath }: LogPlaces, content: Content, at: Date): Promise<Appended> {
  const head = await readHeadIfOurs(headPath);
  const { file, made } = await openFile(path);
  try {
    const end = await findEnd(file);
    const noticed = compare(end, head);
    let last: Head = { count: end.number, hash: end.hash };
    const lines = [...(noticed === undefined ? [] : [noticed]), content].map((each) => {
      const { line, hash } = writeEntry(each, { number: last.count + 1, at, previous: last.hash });
      last = { count: last.count + 1, hash };
      return `${line}\n`;
    });
    try {
      await write(file, end, lines.join(''));
      if (made) await syncFolder(dirname(path));
      await writeHead(headPath, last);
    } catch (error) {
      // all or nothing: half a line would be taken for a crash's
      await file.truncate(end.size).catch(() => undefined);
      throw error;
    }
    return { number: last.count, noticed };
  } finally {
    await file.close();
  }
}

async function write(file: FileHandle, { size, closed, fileSize }: End, text: string): Promise<void> {
  if (fileSize > size) await file.truncate(size);
  const bytes = Buffer.from(closed ? text : `\n${text}`);
  const { bytesWritten } = await file.write(bytes, 0, bytes.length, size);
  // the system writes less than it was given where the disk is nearly full; what is left then says why
  if (bytesWritten < bytes.length) await file.writeFile(bytes.subarray(bytesWritten));
  await file.sync();
}

/** A new file belongs to its folder's owner: the operator's commands may run as root, the server does not. */
async function openFile(path: string): Promise<{ file: FileHandle; made: boolean }> {
  const flags = constants.O_RDWR | constants.O_NOFOLLOW;
  const there = await open(path, flags).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (there !== undefined) return { file: there, made: false };
  const file = await open(path, flags | constants.O_CREAT | constants.O_EXCL, 0o600);
  const { uid, gid } = await stat(dirname(path));
  await chown(path, uid, gid).catch(() => undefined);
  return { file, made: true };
}

/** Where the next entry goes. */
interface End {
  /** of the last whole entry; 0 where there is none */
  number: number;
  hash: string;
  /** of all whole lines */
  size: number;
  fileSize: number;
  /** whether those end with the end of a line */
  closed: boolean;
  /** of half a line behind them */
  torn: number;
}

async function findEnd(file: FileHandle): Promise<End> {
  const { size: fileSize } = await file.stat();
  const { text, tail } = await lastLine(file, fileSize);
  const torn = tail.length;
  const size = fileSize - torn;
  const last = await describeLast(file, text);
  if (torn === 0) return { ...last, size, fileSize, closed: true, torn };
  const next = readEntry(Buffer.from(tail).toString('utf8'));
  // only the end of the line is missing
  if (next?.intact === true && next.entry.previous === last.hash) {
    return { number: next.entry.number, hash: next.entry.hash, size: fileSize, fileSize, closed: false, torn: 0 };
  }
  return { ...last, size, fileSize, closed: true, torn };
}

/** A last line that somebody made unreadable is counted, and the next entry is chained to what it is now. */
async function describeLast(file: FileHandle, line: string | undefined): Promise<{ number: number; hash: string }> {
  if (line === undefined) return { number: 0, hash: BEGINNING };
  const read = readEntry(line);
  if (read !== undefined) return { number: read.entry.number, hash: read.entry.hash };
  const { size } = await file.stat();
  const all = Buffer.alloc(size);
  await file.read(all, 0, size, 0);
  return { number: all.toString('utf8').split('\n').length - 1, hash: digestOfText(line) };
}

function compare({ number, hash, torn }: End, head: Head | undefined): Appended['noticed'] {
  if (head !== undefined && head.count > number) return { event: 'noticed', what: 'cut-off', head };
  if (head !== undefined && head.count === number && head.hash !== hash) {
    return { event: 'noticed', what: 'replaced', head };
  }
  return torn === 0 ? undefined : { event: 'noticed', what: 'torn', bytes: torn };
}

/** The whole of it. @returns '' where there is none */
export async function readLogText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    if (codeOf(cause) === 'ENOENT') return '';
    throw new OperatorError(`cannot read the operator log ${path}: ${messageOf(cause)}`, { cause });
  });
}
