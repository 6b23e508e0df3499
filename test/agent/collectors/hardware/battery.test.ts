import test from 'ava';
import { batteryHealth } from '../../../../src/agent/collectors/hardware/battery.ts';
import { hardware } from '../../../../src/agent/collectors/hardware/index.ts';
import { memory } from '../host-in-folder.ts';
import { look } from '../look.ts';

const supply = (name: string, values: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(values).map(([file, value]) => [`/sys/class/power_supply/${name}/${file}`, `${value}\n`]),
  );
const battery = (full: string, design: string, more: Record<string, string> = {}, name = 'BAT0') =>
  supply(name, { type: 'Battery', present: '1', energy_full: full, energy_full_design: design, ...more });

for (const [title, files, expected] of [
  ['as new', battery('50000000', '50000000'), [{ name: 'BAT0', health: 'good' }]],
  ['that holds 70 %', battery('35000000', '50000000'), [{ name: 'BAT0', health: 'fair' }]],
  ['that holds half', battery('25000000', '50000000'), [{ name: 'BAT0', health: 'worn' }]],
  [
    'that counts its charge',
    supply('BAT1', { type: 'Battery', charge_full: '2000', charge_full_design: '4000' }),
    [{ name: 'BAT1', health: 'worn' }],
  ],
  ['that tells nothing', supply('BAT0', { type: 'Battery', capacity: '90' }), [{ name: 'BAT0', health: 'unknown' }]],
  ['that was new with nothing', battery('50000000', '0'), [{ name: 'BAT0', health: 'unknown' }]],
  ['that tells garbage', battery('many', '\u0000'), [{ name: 'BAT0', health: 'unknown' }]],
  [
    'beside another',
    { ...battery('40000000', '50000000'), ...battery('10000000', '50000000', {}, 'BAT1') },
    [
      { name: 'BAT0', health: 'good' },
      { name: 'BAT1', health: 'worn' },
    ],
  ],
  ['of a mouse', battery('1', '2', { scope: 'Device' }), undefined],
  ['that was taken out', battery('1', '2', { present: '0' }), undefined],
  ['that is a charger', supply('AC', { type: 'Mains', online: '1' }), undefined],
] as const) {
  test(`a battery ${title}`, async (t) => {
    const answer = await look(t, hardware, files);
    t.deepEqual(Object(answer).battery, expected);
  });
}

test('a class is kept until it is missed by three points, so that a charge more or less does not change it', async (t) => {
  const tools = memory();
  const says = async (share: number) =>
    Object(await look(t, hardware, battery(`${share}`, '1000'), { tools })).battery[0].health;
  t.is(await says(810), 'good');
  t.is(await says(790), 'good');
  t.is(await says(769), 'fair');
  t.is(await says(790), 'fair');
  t.is(await says(810), 'fair');
  t.is(await says(831), 'good');
  t.is(batteryHealth(0.79), 'fair');
  t.is(batteryHealth(0.2, 'good'), 'worn');
});

test('a machine without batteries has none to tell of', async (t) => {
  t.false(Object.hasOwn(Object(await look(t, hardware, { '/sys/class/power_supply/.keep': '' })), 'battery'));
  t.like(await look(t, hardware, {}), { battery: 'unknown' });
});
