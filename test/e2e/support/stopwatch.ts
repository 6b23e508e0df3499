import type { ExecutionContext } from 'ava';

/** Logs how long each part of a test took. */
export function stopwatch(t: ExecutionContext): (what: string) => void {
  let began = Date.now();
  return (what) => {
    t.log(`${what}: ${Math.round((Date.now() - began) / 1000)} s`);
    began = Date.now();
  };
}
