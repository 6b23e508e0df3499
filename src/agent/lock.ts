import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { OperatorError } from '../core/errors.ts';
import { EXIT } from './exit-codes.ts';

const FLOCK = '/usr/bin/flock';

/** How long somebody else may take; a submit waits for the network, so a little patience pays. */
const PATIENCE_SECONDS = 15;

/**
 * Does the work while holding an advisory lock on the file. The kernel lets go of it when this process ends, however it ends.
 * Node has no flock(2); util-linux' program locks the open file that we hand down, and the lock stays with it.
 * @throws OperatorError (try again later) where somebody else holds it
 */
export async function withLock<T>(path: string, what: string, work: () => Promise<T>): Promise<T> {
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    if (!(await lock(handle.fd))) {
      throw new OperatorError(`cannot ${what} now: another penguindome-agent is at it; try again later`, {
        exitCode: EXIT.tryAgain,
      });
    }
    return await work();
  } finally {
    await handle.close();
  }
}

function lock(fd: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const flock = spawn(FLOCK, ['--exclusive', '--wait', String(PATIENCE_SECONDS), '3'], {
      env: {},
      stdio: ['ignore', 'ignore', 'ignore', fd],
    });
    flock.on('error', (cause) =>
      reject(new Error('cannot take a lock: /usr/bin/flock (package util-linux) does not run', { cause })),
    );
    flock.on('exit', (code) => resolve(code === 0));
  });
}
