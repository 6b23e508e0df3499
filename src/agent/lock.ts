import { spawn } from 'node:child_process';
import { constants, fstatSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { OperatorError } from '../core/errors.ts';
import { EXIT } from './exit-codes.ts';

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
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
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
