import { stat } from 'node:fs/promises';
import { OperatorError } from '../../core/errors.ts';
import type { V1Signer } from '../../crypto/v1-signer.ts';
import { addV1Release, LARGEST_V1_RELEASE, newestV1Release, v1ReleasesFolder } from '../../settings/v1-releases.ts';
import { fitsTar, makeTar } from '../../wire/tar.ts';
import { signaturePath } from '../../wire/v1/client-path.ts';
import type { AdminContext } from '../context.ts';
import { ensureFolder, removeUnfinished } from '../ensure-files.ts';
import type { ClientFile } from './make-patch.ts';
import { openSigner } from './open-signer.ts';
import { RELEASE_NUMBER, readReleaseFolder } from './read-release-folder.ts';

export interface MadeRelease {
  /** seconds since 1970 */
  number: number;
  files: number;
  /** of the tar, in bytes */
  size: number;
}

/**
 * Makes the next release for hosts that run the original client, of a folder laid out as the original's, and has this server hand
 * it out from then on.
 */
export async function makeV1Release(context: AdminContext, dir: string): Promise<MadeRelease> {
  const { state } = await context.settings();
  const signer = await openSigner(context);
  const number = await nextNumber(context, state);
  const files = await readReleaseFolder(dir, context.signal);
  const tar = await composeTar(signer, files, number);
  const message = await signer.message(tar, new Date(number * 1000));
  const folder = v1ReleasesFolder(state);
  const { uid, gid } = await stat(state);
  const owner = process.getuid?.() === 0 ? { uid, gid } : undefined;
  await ensureFolder(folder, 0o750, owner);
  await removeUnfinished(folder);
  await addV1Release(state, { number, tar, message }, owner);
  return { number, files: files.length + 1, size: tar.length };
}

/** @param number also the time of all that is signed: the same files, key and number make the same bytes */
export async function composeTar(signer: V1Signer, files: readonly ClientFile[], number: number): Promise<Uint8Array> {
  const whole = [...files, { path: RELEASE_NUMBER, mode: 0o644, content: Buffer.from(`${number}\n`) }];
  const long = whole.find(({ path }) => !fitsTar(signaturePath(path)));
  if (long !== undefined) throw new OperatorError(`cannot put ${long.path} into a release: its path is too long`);
  const at = new Date(number * 1000);
  const signatures: ClientFile[] = [];
  for (const { path, content } of whole) {
    signatures.push({ path: signaturePath(path), mode: 0o644, content: await signer.detached(content, at) });
  }
  const tar = makeTar([...whole, ...signatures], number);
  if (tar.length <= LARGEST_V1_RELEASE) return tar;
  throw new OperatorError(`cannot make a release of ${tar.length} bytes: at most ${LARGEST_V1_RELEASE}`);
}

/** Hosts take only what is newer than what they have. */
async function nextNumber({ clock }: AdminContext, state: string): Promise<number> {
  const number = Math.floor(clock.now().getTime() / 1000);
  const newest = (await newestV1Release(state))?.number ?? 0;
  if (number > newest) return number;
  throw new OperatorError(
    number === newest
      ? 'cannot make two releases within one second'
      : `cannot make a release: the newest one, ${newest}, is from the future; is the clock right?`,
  );
}
