import { spawn } from 'node:child_process';
import { constants, fstatSync, readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { OperatorError } from '../core/errors.ts';
import { EXIT } from './exit-codes.ts';
import { hasCode } from './has-code.ts';
import { giveToOwnerOf } from './write-atomically.ts';

const FLOCK = '/usr/bin/flock';

/** How long somebody else may take; a submit waits for the network, so a little patience pays. */
const PATIENCE_SECONDS = 15;

/**
 * Does the work while holding an advisory lock on the file. The kernel lets go of it when this process ends, however it ends.
 * Node has no flock(2); util-linux' program locks the open file that we hand down, and the lock stays with it.
 * penguindome-tick has that program lock the file and then become us, which saves a process: then the lock is ours already.
 * @param patience seconds that somebody else may take
 * @throws OperatorError (try again later) where somebody else holds it
 */
export async function withLock<T>(
  path: string,
  what: string,
  work: () => Promise<T>,
  patience = PATIENCE_SECONDS,
): Promise<T> {
  const handle = await openOrMake(path);
  try {
    if (!isInherited(handle.fd) && !(await lock(handle.fd, patience))) {
      throw new OperatorError(`cannot ${what} now: another penguindome-agent is at it; try again later`, {
        exitCode: EXIT.tryAgain,
      });
    }
    return await work();
  } finally {
    await handle.close();
  }
}

/** One that root makes in a folder of the submitter's is the submitter's too. Only a file that was made here is given away. */
async function openOrMake(path: string): Promise<FileHandle> {
  const flags = constants.O_RDWR | constants.O_NOFOLLOW;
  try {
    const made = await open(path, flags | constants.O_CREAT | constants.O_EXCL, 0o600);
    giveToOwnerOf(dirname(path), made.fd);
    return made;
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    return open(path, flags);
  }
}

/** Whoever started this process leaves an open file in the first place behind standard error. */
const INHERITED = 3;

function isInherited(fd: number): boolean {
  try {
    const [ours, handed] = [fstatSync(fd), fstatSync(INHERITED)];
    if (fd === INHERITED || ours.ino !== handed.ino || ours.dev !== handed.dev) return false;
    // proc(5): a lock is shown with the open file that holds it
    return /^lock:\s.*\bFLOCK\s+ADVISORY\s+WRITE\b/m.test(readFileSync(`/proc/self/fdinfo/${INHERITED}`, 'latin1'));
  } catch {
    return false;
  }
}

function lock(fd: number, patience: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const flock = spawn(FLOCK, ['--exclusive', '--wait', String(patience), '3'], {
      env: {},
      stdio: ['ignore', 'ignore', 'ignore', fd],
    });
    flock.on('error', (cause) =>
      reject(new Error('cannot take a lock: /usr/bin/flock (package util-linux) does not run', { cause })),
    );
    flock.on('exit', (code) => resolve(code === 0));
  });
}
