import { OperatorError } from '../../core/errors.ts';
import type { PatchFile, PatchPurpose, PatchRecord } from '../../core/patch.ts';
import type { Clock, Random } from '../../core/world.ts';
import type { V1Signer } from '../../crypto/v1-signer.ts';
import { COMMAND_NAME, commandPath, isClientPath, signaturePath } from '../../wire/v1/client-path.ts';
import type { AdminContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { openSigner } from './open-signer.ts';

/** A file for hosts that run the original client; `path` is below that client's folder. */
export interface ClientFile {
  path: string;
  /** permission bits */
  mode: number;
  content: Uint8Array;
}

/** What such hosts are to do. */
export type Wish =
  /** a one-time command; `removed`: files that go at the same time */
  | { purpose: Exclude<PatchPurpose, 'patch'>; name: string; content: Uint8Array; removed?: readonly string[] }
  | { purpose: 'patch'; files: readonly ClientFile[]; removed: readonly string[] };

/** Of all files, before base64. The original client takes a patch as part of one JSON answer. */
const LARGEST_PATCH = 4 * 1024 * 1024;

/**
 * Makes a patch for hosts that run the original client, signed by the original server's key, and stores it: they fetch it with
 * their next `update`. A one-time command is the patch that brings its file.
 * @param hosts by their stored names; none has enrolled
 */
export async function makePatch(
  context: AdminContext,
  wish: Wish,
  { hosts, by, why }: { hosts: readonly string[]; by: string; why: string },
): Promise<PatchRecord> {
  const signer = await openSigner(context);
  const submitted_at = context.clock.now();
  const id = makeId(context);
  const command = wish.purpose === 'patch' ? undefined : `${wish.name}-${id.slice(0, 12)}`;
  const patch: PatchRecord = {
    id,
    files: await signAll(signer, wish, command, submitted_at),
    pending_hosts: [...new Set(hosts)].sort(),
    completed_hosts: [],
    cancelled_hosts: [],
    submitted_at,
    purpose: wish.purpose,
    ...(command === undefined ? {} : { command }),
    by,
    why,
  };
  const store = await context.store();
  if (await store.patches.insert(patch)) return patch;
  throw new OperatorError('cannot make that patch: its id is taken; try again');
}

/** What is checked without a key and a store. @throws OperatorError for what the original client would not take */
export function checkWish(wish: Wish): void {
  const { files, removed } = filesOf(wish, wish.purpose === 'patch' ? undefined : wish.name);
  const paths = [...files.map(({ path }) => path), ...removed];
  if (paths.length === 0) refuse('there is nothing in it');
  if (wish.purpose !== 'patch' && !COMMAND_NAME.test(wish.name)) {
    refuse(`the name ${wish.name} is none for a command: letters, digits, - and _`);
  }
  const strange = paths.find((path) => !isClientPath(path));
  if (strange !== undefined) refuse(`expected paths below client/ or penguindome/, got ${strange}`);
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice !== undefined) refuse(`${twice} is named twice`);
  const size = files.reduce((sum, { content }) => sum + content.length, 0);
  if (size > LARGEST_PATCH) refuse(`it has ${size} bytes, and at most ${LARGEST_PATCH} go at once`);
}

/** Each file comes with its signature, and goes with it. */
async function signAll(signer: V1Signer, wish: Wish, command: string | undefined, at: Date): Promise<PatchFile[]> {
  checkWish(wish);
  const { files, removed } = filesOf(wish, command);
  const signed: PatchFile[] = [];
  for (const { path, mode, content } of files) {
    const signature = await signer.detached(content, at);
    // The signature first: a client that stops in between has no file without one.
    signed.push({ path: signaturePath(path), mode: 0o644, content: base64(signature) });
    signed.push({ path, mode: (mode & 0o777) | 0o400, content: base64(content) });
  }
  for (const path of removed) signed.push({ path, mode: 0 }, { path: signaturePath(path), mode: 0 });
  return signed;
}

function filesOf(wish: Wish, command = ''): { files: readonly ClientFile[]; removed: readonly string[] } {
  if (wish.purpose === 'patch') return wish;
  // root's alone: a command may hold what is no user's business
  return { files: [{ path: commandPath(command), mode: 0o700, content: wish.content }], removed: wish.removed ?? [] };
}

/** As MongoDB makes them: the second, then (so that they sort as they were made) the millisecond, then chance. */
function makeId({ clock, random }: { clock: Clock; random: Random }): string {
  const now = clock.now().getTime();
  const hex = (value: number, width: number) => value.toString(16).padStart(width, '0');
  return hex(Math.floor(now / 1000), 8) + hex(now % 1000, 4) + Buffer.from(random.bytes(6)).toString('hex');
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function refuse(why: string): never {
  throw new OperatorError(`cannot make that patch for hosts that run the original client: ${why}`, {
    exitCode: EXIT.usage,
  });
}
