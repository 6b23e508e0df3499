/**
 * Releases for hosts with the original client, in the server's own folder: STATE/v1-releases/N.tar, and N.asc, the same as a signed
 * message. Not in the store: they hold the key that all these hosts share, and neither the database nor its backups need to know that.
 */
import { type FileHandle, open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type FileOwner, writeAtomically } from './atomic-write.ts';

/** Of a tar: bytes. The original client takes it as one JSON answer, and holds that in memory. */
export const LARGEST_V1_RELEASE = 32 * 1024 * 1024;

export interface V1Release {
  /** seconds since 1970 */
  number: number;
  /** What is opened stays whole, though it is removed meanwhile. */
  openTar(): Promise<FileHandle>;
  /** the signed message: ASCII */
  openMessage(): Promise<FileHandle>;
}

export function v1ReleasesFolder(state: string): string {
  return join(state, 'v1-releases');
}

/** @returns undefined where there is none */
export async function newestV1Release(state: string): Promise<V1Release | undefined> {
  const folder = v1ReleasesFolder(state);
  const number = (await numbersIn(folder)).at(-1);
  if (number === undefined) return undefined;
  return {
    number,
    openTar: () => open(join(folder, `${number}.tar`)),
    openMessage: () => open(join(folder, `${number}.asc`)),
  };
}

/** The tar comes last: a release is there when it is. What is older than the one before it goes. */
export async function addV1Release(
  state: string,
  { number, tar, message }: { number: number; tar: Uint8Array; message: string },
  owner: FileOwner | undefined,
): Promise<void> {
  const folder = v1ReleasesFolder(state);
  const options = { mode: 0o640, ...(owner === undefined ? {} : { owner }) };
  await writeAtomically(join(folder, `${number}.asc`), message, options);
  await writeAtomically(join(folder, `${number}.tar`), tar, options);
  const old = (await numbersIn(folder)).slice(0, -2);
  for (const each of old) {
    await unlink(join(folder, `${each}.tar`));
    await unlink(join(folder, `${each}.asc`));
  }
}

/** Rising. */
async function numbersIn(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .map((name) => /^(\d{1,12})\.tar$/.exec(name)?.[1])
    .flatMap((digits) => (digits === undefined ? [] : [Number(digits)]))
    .sort((one, other) => one - other);
}
