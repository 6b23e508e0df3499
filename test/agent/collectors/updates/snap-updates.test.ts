import test from 'ava';
import { parseSnapState } from '../../../../src/agent/collectors/updates/snap-updates.ts';
import { saying } from '../host-in-folder.ts';
import { DEBIAN, factOf, told } from './machine.ts';

const SNAP = { ...DEBIAN, '/usr/bin/snap': saying('') };
const state = (data: object) => ({ '/var/lib/snapd/state.json': JSON.stringify({ data, changes: {} }) });

test('a machine without snapd has no such fact, and one that has never run is unknown', async (t) => {
  t.false(Object.hasOwn(Object(await told(t, DEBIAN)), 'snap_updates'));
  t.like(await told(t, SNAP), { snap_updates: 'unknown' });
});

test('what snapd found at the store waits', async (t) => {
  const candidates = { 'refresh-candidates': { firefox: { 'snap-setup': {} }, core22: {} } };
  t.deepEqual(await factOf(t, 'snap_updates', { ...SNAP, ...state(candidates) }), {
    held: false,
    waiting: ['core22', 'firefox'],
  });
  t.deepEqual(await factOf(t, 'snap_updates', { ...SNAP, ...state({}) }), { held: false, waiting: [] });
});

test('snapd is held for ever, or until a time that has not come', async (t) => {
  const hold = (until: string) => state({ config: { core: { refresh: { hold: until } } } });
  const now = new Date('2026-01-01T00:00:00Z');
  for (const [until, held] of [
    ['forever', true],
    ['2026-01-02T00:00:00+01:00', true],
    ['2025-12-31T00:00:00Z', false],
    ['soon', false],
  ] as const) {
    t.like(await told(t, { ...SNAP, ...hold(until) }, now), { snap_updates: { held } }, until);
  }
});

test('a state that is no such thing is not made out', (t) => {
  for (const text of ['', '[', 'null', '{}', '{"data": []}', '\u0000\ufffd'])
    t.is(parseSnapState(text, new Date()), undefined);
  t.deepEqual(parseSnapState('{"data":{"refresh-candidates":["x"],"config":"y"}}', new Date()), {
    held: false,
    waiting: [],
  });
});
