import test from 'ava';
import { session } from '../../../../src/agent/collectors/session/index.ts';
import { hasLid } from '../../../../src/agent/collectors/session/lid.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { hostInFolder, memory, plant } from '../host-in-folder.ts';

/** /proc/bus/input/devices of a ThinkPad, shortened. */
const LAPTOP = `I: Bus=0019 Vendor=0000 Product=0005 Version=0000
N: Name="Lid Switch"
P: Phys=PNP0C0D/button/input0
H: Handlers=event0
B: PROP=0
B: EV=21
B: SW=1

I: Bus=0011 Vendor=0001 Product=0001 Version=ab54
N: Name="AT Translated Set 2 keyboard"
B: EV=120013
B: KEY=402000000 3803078f800d001 feffffdfffefffff fffffffffffffffe
`;
/** Of a desktop: headphone and microphone plugs are switches too. */
const DESKTOP = `N: Name="HDA Intel PCH Headphone"
B: EV=21
B: SW=4

N: Name="HDA Intel PCH Mic"
B: SW=10
`;

async function says(t: Parameters<typeof hostInFolder>[0], files: Record<string, string>) {
  const folder = await scratchFolder(t);
  await plant(folder, files);
  return JSON.parse(JSON.stringify(await session.collect(hostInFolder(t, folder), memory()))).lid;
}
const at = (files: Record<string, string>) => ({ '/proc/bus/input/devices': LAPTOP, ...files });
const login = (...lines: string[]) => ['[Login]', ...lines, ''].join('\n');

for (const [title, files, expected] of [
  [
    'does what is built in',
    at({ '/etc/systemd/logind.conf': login('#HandleLidSwitch=ignore') }),
    ['suspend', 'suspend', 'ignore'],
  ],
  [
    'does what is written',
    at({ '/etc/systemd/logind.conf': login('HandleLidSwitch=lock') }),
    ['lock', 'lock', 'ignore'],
  ],
  [
    'may do something else on power',
    at({ '/etc/systemd/logind.conf': login('HandleLidSwitchExternalPower=ignore') }),
    ['suspend', 'ignore', 'ignore'],
  ],
  [
    'does what the last drop-in says',
    at({
      '/etc/systemd/logind.conf': login('HandleLidSwitch=lock'),
      '/etc/systemd/logind.conf.d/10-a.conf': login('HandleLidSwitch=poweroff', 'HandleLidSwitchDocked=lock'),
      '/usr/lib/systemd/logind.conf.d/20-b.conf': login('HandleLidSwitch=ignore'),
    }),
    ['ignore', 'ignore', 'lock'],
  ],
  [
    'does not what a drop-in of the same name replaces',
    at({
      '/etc/systemd/logind.conf.d/lid.conf': login('HandleLidSwitch=lock'),
      '/usr/lib/systemd/logind.conf.d/lid.conf': login('HandleLidSwitch=ignore'),
    }),
    ['lock', 'lock', 'ignore'],
  ],
  [
    'does what is built in for an empty value',
    at({ '/etc/systemd/logind.conf': login('HandleLidSwitch=ignore', 'HandleLidSwitch=') }),
    ['suspend', 'suspend', 'ignore'],
  ],
  [
    'does not mind other sections',
    at({ '/etc/systemd/logind.conf': '[Sleep]\nHandleLidSwitch=ignore\n\u0000' }),
    ['suspend', 'suspend', 'ignore'],
  ],
  [
    'reads the file of the distribution where there is no other',
    at({ '/usr/lib/systemd/logind.conf': login('HandleLidSwitch=hibernate') }),
    ['hibernate', 'hibernate', 'ignore'],
  ],
] as const) {
  test(`a lid ${title}`, async (t) => {
    const [action, external_power, docked] = expected;
    t.deepEqual(await says(t, { ...files }), { action, external_power, docked });
  });
}

test('a machine without a lid has nothing to say, though it has other switches', async (t) => {
  t.is(await says(t, { '/proc/bus/input/devices': DESKTOP }), undefined);
  t.is(await says(t, {}), undefined);
});

test('a lid is bit 0 of the switches', (t) => {
  for (const [line, expected] of [
    ['B: SW=1', true],
    ['B: SW=21', true],
    ['B: SW=1 0', false],
    ['B: SW=2', false],
    ['B: SW=', false],
    ['B: SW=xyz', false],
    ['B: EV=1', false],
  ] as const) {
    t.is(hasLid(`N: Name="x"\n${line}\n`), expected, line);
  }
});
