import type { OutboxEntry, Target, TestResult } from '../core/delivery.ts';
import { messageOf, OperatorError } from '../core/errors.ts';
import type { Clock, Random } from '../core/world.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import { digestOf } from './alert-key.ts';
import type { OpenLane } from './lane.ts';
import { targetsOf, type Wish } from './targets.ts';

export interface TestDeps {
  settings: Pick<ServerSettings, 'audit' | 'delivery' | 'public_url'>;
  openLane: OpenLane;
  clock: Clock;
  random: Random;
  signal: AbortSignal;
}

/**
 * Sends each receiver a message that says that it is a test. Past the outbox: what fails is told at once, and not tried again.
 * @param wanted.only a channel, or the name of a webhook
 * @param wanted.to gets one as users do
 * @throws OperatorError where there is nobody to send to
 */
export async function testReceivers(
  deps: TestDeps,
  { only, to }: { only?: string; to?: string },
): Promise<TestResult[]> {
  if (to !== undefined) return [await testOne(deps, { channel: 'user-mail', receiver: to })];
  const targets = targetsOf(deps.settings);
  const wanted = targets.filter(({ channel, receiver }) => only === undefined || [channel, receiver].includes(only));
  if (wanted.length === 0) throw nobody(targets, only);
  const results: TestResult[] = [];
  for (const target of wanted) {
    deps.signal.throwIfAborted();
    results.push(await testOne(deps, target));
  }
  return results;
}

async function testOne(deps: TestDeps, { channel, receiver }: Target): Promise<TestResult> {
  try {
    const lane = await deps.openLane({ channel, receiver });
    if (lane === undefined) return { channel, receiver, failure: 'no journal takes what this command says' };
    await lane.send([testEntry(deps, { channel, receiver })], { test: true, signal: deps.signal });
    return { channel, receiver };
  } catch (error) {
    return { channel, receiver, failure: messageOf(error) };
  }
}

function testEntry({ clock, random }: TestDeps, target: Target): OutboxEntry {
  const at = clock.now();
  const key = digestOf(['test', random.uuid(), target.channel, target.receiver]);
  return {
    channel: target.channel,
    receiver: target.receiver,
    key,
    message: key,
    hostname: 'test',
    name: 'test',
    title: 'test message',
    severity: 'low',
    reason: 'sent by penguindome delivery test',
    opened_at: at,
    created_at: at,
    next_at: at,
    attempts: 0,
  };
}

function nobody(targets: readonly Wish[], only: string | undefined): OperatorError {
  if (targets.length === 0) {
    return new OperatorError(
      'cannot test: the settings switch on no receiver; docs/delivery.md shows what goes under delivery',
      { exitCode: 3 },
    );
  }
  const names = targets.map(({ channel, receiver }) => (channel === 'webhook' ? receiver : channel));
  return new OperatorError(
    `cannot test ${only}: no such receiver is switched on (there are ${[...new Set(names)].join(', ')})`,
  );
}
