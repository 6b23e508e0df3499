import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasCode } from '../has-code.ts';

/** Why a file does not count: somebody else may have written it. */
class Untrusted extends Error {
  override readonly name = 'Untrusted';
}

/**
 * Reads a file of the administrator's: root's (or the agent's own user's, where it is not root), and writable for nobody else, as its folder must be.
 * @returns undefined where there is none
 * @throws Untrusted
 */
export function readTrusted(path: string, uid: number, most: number): Buffer | undefined {
  let fd: number;
  try {
    distrust(dirname(path), lstatSync(dirname(path)), uid, 'folder');
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return undefined;
    if (hasCode(cause, 'ELOOP')) throw new Untrusted(`${path} is a symbolic link`, { cause });
    throw cause;
  }
  try {
    const facts = fstatSync(fd);
    distrust(path, facts, uid, 'file');
    if (facts.size > most) throw new Untrusted(`${path} holds more than ${most} bytes`);
    const bytes = Buffer.alloc(facts.size);
    let got = 0;
    for (let more = 1; more > 0 && got < bytes.length; got += more)
      more = readSync(fd, bytes, got, bytes.length - got, got);
    return bytes.subarray(0, got);
  } finally {
    closeSync(fd);
  }
}

/** The same of a folder alone; harmless where there is none. @throws Untrusted */
export function needTrusted(folder: string, uid: number): void {
  try {
    distrust(folder, lstatSync(folder), uid, 'folder');
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

type Facts = Pick<ReturnType<typeof lstatSync> & object, 'uid' | 'mode' | 'isFile' | 'isDirectory'>;

/** @throws Untrusted */
function distrust(path: string, facts: Facts, uid: number, what: 'file' | 'folder'): void {
  const fault = faultOf(facts, uid, what);
  if (fault !== undefined) throw new Untrusted(`${path} ${fault}`);
}

function faultOf(facts: Facts, uid: number, what: 'file' | 'folder'): string | undefined {
  if (!(what === 'file' ? facts.isFile() : facts.isDirectory())) return `is no ${what}`;
  if (facts.uid !== 0 && facts.uid !== uid) return `belongs to user ${facts.uid}, not to root`;
  if ((Number(facts.mode) & 0o020) !== 0) return 'can be written to by its group';
  if ((Number(facts.mode) & 0o002) !== 0) return 'can be written to by everybody';
  return undefined;
}
