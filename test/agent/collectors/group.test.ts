import test from 'ava';
import { type Fact, group, unknown } from '../../../src/agent/collectors/group.ts';
import { seconds } from '../../../src/core/duration.ts';
import { memory, thisHost } from './host-in-folder.ts';

const fact = (name: string, look: Fact['look'], more: Partial<Fact> = {}): Fact => ({ name, look, ...more });

test('a group tells its facts by name, and why it cannot tell some, or a part of them', async (t) => {
  const facts = [
    fact('lid', async () => ({ action: 'suspend', docked: unknown('no dock was ever seen') })),
    fact('battery', async () => undefined),
    fact('age', async () => 3),
    fact('ports', async () => [{ port: 22 }, { port: unknown('hidden') }]),
    fact('tpm', async () => unknown('tpm2 is not installed')),
    fact('broken', async () => {
      throw new Error('cannot read /x');
    }),
  ];
  t.deepEqual(await group('things', 'some things', facts).collect(thisHost(t), memory()), {
    age: 3,
    broken: 'unknown',
    lid: { action: 'suspend', docked: 'unknown' },
    ports: [{ port: 22 }, { port: 'unknown' }],
    tpm: 'unknown',
    reasons: {
      broken: 'cannot read /x',
      'lid.docked': 'no dock was ever seen',
      'ports.1.port': 'hidden',
      tpm: 'tpm2 is not installed',
    },
  });
});

test('a fact that hangs is unknown at its time limit, and holds nobody up', async (t) => {
  const facts = [
    fact('hung', () => new Promise(() => undefined), { timeout: 20 }),
    ...['a', 'b', 'c', 'd', 'e'].map((name) => fact(name, async () => true)),
  ];
  t.like(await group('things', '', facts).collect(thisHost(t), memory()), { hung: 'unknown', a: true, e: true });
});

test('a fact with an interval is not looked at again before its time, unless it could not be told', async (t) => {
  let looked = 0;
  let now = new Date('2026-01-01T00:00:00Z');
  const slow = fact('slow', async () => (++looked < 3 ? unknown('not yet') : looked), { interval: seconds(60) });
  const host = { ...thisHost(t), now: () => now };
  const tools = memory();
  const things = group('things', '', [slow]);
  const after = async (step: number) => {
    now = new Date(now.getTime() + step);
    return things.collect(host, { ...tools, keep: async (key, value) => void tools.kept.set(key, { at: now, value }) });
  };
  t.like(await after(0), { slow: 'unknown' });
  t.like(await after(seconds(1)), { slow: 'unknown' });
  t.deepEqual(await after(seconds(1)), { slow: 3 });
  t.deepEqual(await after(seconds(59)), { slow: 3 });
  t.deepEqual(await after(seconds(1)), { slow: 4 });
  t.deepEqual(await after(-seconds(30)), { slow: 5 });
});
