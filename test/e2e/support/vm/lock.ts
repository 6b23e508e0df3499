import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Waits until nobody else holds it. It goes with this process, whatever happens. @returns what gives it back */
export async function holdLock(path: string): Promise<() => void> {
  const child = spawn('flock', [path, 'sh', '-c', 'echo held; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close').then(() => Promise.reject(new Error(`cannot lock ${path}`)));
  ended.catch(() => undefined);
  await Promise.race([once(child.stdout, 'data'), ended]);
  return () => void child.stdin.end();
}
