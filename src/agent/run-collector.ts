import { setMaxListeners } from 'node:events';
import { formatDuration } from '../core/duration.ts';
import { messageOf } from '../core/errors.ts';
import { bodyOf, failed, type Result } from './body.ts';
import type { Collector, CollectorTools, HostAccess } from './collector.ts';
import type { Gatherer } from './gather.ts';

/** What a killed program's status is told as, as the original did (minus the signal's number). */
const KILLED = -9;

/**
 * Runs one built-in collector. Never rejects: one that throws, hangs or floods is reported as failed.
 * At its time limit it is abandoned, and the signal given to its host access ends what it has under way.
 */
export async function runCollector(
  collector: Collector,
  { hostFor, toolsFor }: Pick<Gatherer, 'hostFor' | 'toolsFor'>,
  signal: AbortSignal,
): Promise<Result> {
  const { name, timeout } = collector;
  const own = new AbortController();
  setMaxListeners(0, own.signal);
  const outOfTime = `it did not end within ${formatDuration(timeout)}`;
  let end: (reason: string) => void = () => undefined;
  const ended = new Promise<{ reason: string; returncode: number }>((resolve) => {
    end = (reason) => resolve({ reason, returncode: KILLED });
  });
  const timer = setTimeout(() => end(outOfTime), timeout);
  const onAbort = () => end('it was broken off');
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const outcome = await Promise.race([attempt(collector, hostFor(own.signal), toolsFor(name)), ended]);
  clearTimeout(timer);
  signal.removeEventListener('abort', onAbort);
  own.abort();
  if ('text' in outcome) return { name, text: outcome.text };
  return failed(name, { returncode: outcome.returncode, stdout: '', stderr: outcome.reason, reason: outcome.reason });
}

async function attempt(
  collector: Collector,
  host: HostAccess,
  tools: CollectorTools,
): Promise<{ text: string } | { reason: string; returncode: number }> {
  try {
    const body = bodyOf(await collector.collect(host, tools));
    return 'text' in body ? body : { ...body, returncode: 1 };
  } catch (error) {
    return { reason: messageOf(error), returncode: 1 };
  }
}
