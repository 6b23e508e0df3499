import { constants } from 'node:fs';
import { chown, mkdir, open, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import { messageOf, OperatorError, StoreUnavailable } from '../core/errors.ts';
import type { HostId, KeyId } from '../core/host.ts';

const event = z.object({
  event: z.enum([
    'enrolled',
    'approved',
    'revoked',
    'renamed',
    'lost',
    'found',
    'chain-cleared',
    'rotated',
    'not-rotated',
  ]),
  key_id: z.string().transform((text) => text as KeyId),
  host_id: z
    .string()
    .transform((text) => text as HostId)
    .optional(),
  hostname: z.string().optional(),
  /** raw 32 bytes, base64 */
  public_key: z.string().optional(),
  machine_id_digest: z.string().optional(),
  address: z.string().optional(),
  token_id: z.string().optional(),
  /** of the token */
  pattern: z.string().optional(),
  /** of `rotated`: the key that vouched for this one, and when that one ends */
  replaces: z
    .string()
    .transform((text) => text as KeyId)
    .optional(),
  ends_at: z.iso
    .datetime()
    .transform((text) => new Date(text))
    .optional(),
  at: z.iso.datetime().transform((text) => new Date(text)),
  why: z.string().optional(),
});

/**
 * What happened to one key. `enrolled` holds all that an enrolment needs, so that a restored store can ask for it again; `rotated` all
 * that its host needs to know it. `not-rotated` takes that back: the store did not add it.
 */
export type IdentityEvent = z.output<typeof event>;

/**
 * The identities that this server ever knew, outside the store: what a restored backup cannot know.
 * Server and commands append to it, one JSON object a line; nobody ever rewrites it.
 */
export interface IdentityLog {
  /** On disk when it resolves. @throws StoreUnavailable where the disk is full */
  append(event: IdentityEvent): Promise<void>;
  /** In the order in which they were written. `unreadable`: lines that a crash cut off. */
  read(): Promise<{ events: IdentityEvent[]; unreadable: number }>;
}

export function openIdentityLog(path: string): IdentityLog {
  return { append: (event) => append(path, event), read: () => read(path) };
}

/** Root's commands append too, in a folder of the server's user: what a link of his names is none of theirs. */
const APPEND = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

async function append(path: string, identity: IdentityEvent): Promise<void> {
  try {
    const made = await makeFile(path);
    const file = await open(path, APPEND, 0o600);
    try {
      const line = `${JSON.stringify(identity)}\n`;
      // One write: lines of several processes do not mix. A line that a crash cut off is closed, not continued.
      await file.appendFile((await endsInLine(file)) ? line : `\n${line}`);
      await file.sync();
    } finally {
      await file.close();
    }
    if (made) await syncFolder(dirname(path));
  } catch (cause) {
    const message = `cannot write the list of identities ${path}: ${messageOf(cause)}`;
    // That passes, and whoever wanted to write comes again; rights that are wrong do not.
    if (hasCode(cause, 'ENOSPC', 'EDQUOT')) throw new StoreUnavailable(message, { cause });
    throw new OperatorError(message, { cause });
  }
}

async function read(path: string): Promise<{ events: IdentityEvent[]; unreadable: number }> {
  const lines = (await readText(path)).split('\n').filter((line) => line !== '');
  const events = lines.flatMap((line) => parse(line) ?? []);
  return { events, unreadable: lines.length - events.length };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return '';
    throw new OperatorError(`cannot read the list of identities ${path}: ${messageOf(cause)}`, { cause });
  }
}

function parse(line: string): IdentityEvent | undefined {
  try {
    return event.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** A new file belongs to its folder's owner: the operator's commands may run as root, the server does not. */
async function makeFile(path: string): Promise<boolean> {
  if (
    await stat(path).then(
      () => true,
      () => false,
    )
  )
    return false;
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o750 });
  const file = await open(path, APPEND, 0o600);
  try {
    const [owner, made] = await Promise.all([stat(folder), file.stat()]);
    if (owner.uid !== made.uid || owner.gid !== made.gid)
      await chown(path, owner.uid, owner.gid).catch(() => undefined);
  } finally {
    await file.close();
  }
  return true;
}

async function endsInLine(file: Awaited<ReturnType<typeof open>>): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 0x0a;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && codes.includes(String(Reflect.get(error, 'code')));
}
