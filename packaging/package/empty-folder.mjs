import { mkdir, readdir, rm } from 'node:fs/promises';

/**
 * Makes the folder empty, where all that is in it is ours; what is somebody else's stays, and is told.
 * @param isOurs of a name in it
 */
export async function emptyFolder(folder, isOurs) {
  const names = await readdir(folder).catch(() => []);
  const foreign = names.find((name) => !isOurs(name));
  if (foreign !== undefined) throw new Error(`cannot use ${folder}: ${foreign} is in it, which is not ours to remove`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
}
