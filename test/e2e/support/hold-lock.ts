import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Works while this process alone has the lock; flock(1) lets it go when the work, or the process, has ended. */
export async function holdLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const holder = spawn('flock', [file, 'sh', '-c', 'echo held; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(holder, 'close');
  const held = await Promise.race([once(holder.stdout, 'data'), ended.then(() => undefined)]);
  if (held === undefined) throw new Error(`cannot lock ${file}: flock ended`);
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
