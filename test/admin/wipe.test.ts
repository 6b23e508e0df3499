import test from 'ava';
import { days } from '../../src/core/duration.ts';
import { ordersSite } from './orders-site.ts';

test('a wipe is ordered of one host only after its name was typed again, and says what it does', async (t) => {
  const site = await ordersSite(t);
  const wipe = (...args: string[]) => site.run('wipe', 'lap-17', '--method', 'crypto-erase', ...args);
  const asked = await wipe();
  t.is(asked.status, 2);
  t.regex(asked.out, /lap-17, crypto-erase: destroys all LUKS key slots .*It cannot be undone/);
  t.regex(asked.err, /cannot ask "Type the name of the host to wipe:" without a terminal: use --confirm HOST/);
  for (const typed of ['lap-18', 'LAP-17', 'yes', '']) {
    const { status, err } = await wipe(`--confirm=${typed}`);
    t.is(status, 2);
    t.regex(err, /is not its name; nothing was ordered/, typed);
  }
  t.regex((await wipe('--yes')).err, /unknown option '--yes'/);
  t.deepEqual(await site.orders(), []);
  const done = await wipe('--confirm', 'lap-17', '--why', 'stolen, case 4711');
  t.is(done.status, 0, done.err);
  t.regex(done.err, /penguindome orders cancel .*\n.*penguindome hosts lost lap-17/);
  const { manifest, order } = await site.only(t);
  t.like(manifest, { kind: 'wipe', method: 'crypto-erase', files: [], why: 'stolen, case 4711' });
  t.is(manifest.targets.length, 1);
  t.is(order.expires_at.getTime() - order.made_at.getTime(), days(90));
});

test('a wipe needs a method that there is, and a host that can be told; patterns mean no host', async (t) => {
  const site = await ordersSite(t, { v1: ['old-1'] });
  t.regex(await site.refused(t, 'wipe', 'lap-17', '--confirm', 'lap-17'), /required option '--method <method>'/);
  t.regex(
    await site.refused(t, 'wipe', 'lap-17', '--method', 'burn', '--confirm', 'lap-17'),
    /crypto-erase, homes, lock/,
  );
  t.regex(
    await site.refused(t, 'wipe', 'lap-*', '--method', 'lock', '--confirm', 'lap-*'),
    /cannot find a host named lap-\*/,
  );
  t.regex(
    await site.refused(t, 'wipe', 'old-1', '--method', 'lock', '--confirm', 'old-1'),
    /speaks the original protocol/,
  );
  t.deepEqual(await site.orders(), []);
});

test('a lost host can be wiped, and what was locked can be unlocked', async (t) => {
  const site = await ordersSite(t);
  await site.ok('hosts', 'lost', 'lap-17');
  t.like(await site.json('wipe', 'lap-17', '--method', 'lock', '--confirm', 'lap-17'), {
    kind: 'wipe',
    hosts: [{ hostname: 'lap-17' }],
  });
  await site.ok('unlock', 'lap-17', '--why', 'found');
  t.deepEqual(
    (await site.orders()).map(({ manifest }) => manifest.kind),
    ['wipe', 'unlock'],
  );
});
