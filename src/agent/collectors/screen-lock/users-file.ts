import { messageOf } from '../../../core/errors.ts';
import type { HostAccess } from '../../collector.ts';
import type { GraphicalUser } from './lock.ts';

/** Settings of a screen lock are a page or two: what is larger was made to keep us busy. */
const LARGEST = 64 * 1024;
/** characters */
const LONGEST_LINE = 4096;

/**
 * A file of settings that a user wrote, or chose.
 * @returns undefined where there is none
 * @throws where it is not the user's or root's for all to read, or is larger than settings are
 */
export async function usersFile(
  host: HostAccess,
  { uid }: Pick<GraphicalUser, 'uid'>,
  path: string,
): Promise<string | undefined> {
  // What is thrown is reported, and names of people's files are theirs.
  const text = await host.readText(path, { max: LARGEST, of: uid }).catch((cause: unknown) => {
    throw new Error(messageOf(cause).replaceAll(path, 'a file of settings'), { cause });
  });
  if (text?.split('\n').some((line) => line.length > LONGEST_LINE)) {
    throw new Error(`cannot read a file of settings: a line is longer than ${LONGEST_LINE} characters`);
  }
  return text;
}
