import test from 'ava';
import { protection } from '../../../../src/agent/collectors/protection/index.ts';
import { blocksStorage } from '../../../../src/agent/collectors/protection/usb.ts';
import { saying } from '../host-in-folder.ts';
import { look, running } from '../look.ts';

const hub = (value: string, number = 1) => ({ [`/sys/bus/usb/devices/usb${number}/authorized_default`]: `${value}\n` });
const OPEN = { usbguard: 'absent', new_devices: 'accepted', storage_blocked: false };

const MACHINES: Record<string, [files: Record<string, string>, answer: object | string]> = {
  'a machine that takes what is plugged in': [hub('1'), OPEN],
  'ports that refuse': [
    { ...hub('0'), ...hub('0', 2) },
    { ...OPEN, new_devices: 'refused' },
  ],
  'ports of which one refuses': [{ ...hub('0'), ...hub('1', 2) }, OPEN],
  'ports that take what is built in': [
    { ...hub('2'), ...hub('0', 2) },
    { ...OPEN, new_devices: 'internal' },
  ],
  'the default of wireless USB': [hub('-1'), OPEN],
  'a hub that does not tell': [{ '/sys/bus/usb/devices/usb1/speed': '480\n' }, { ...OPEN, new_devices: 'unknown' }],
  'USBGuard that runs': [
    { ...hub('0'), ...running('usbguard-daemon'), '/usr/bin/usbguard-daemon': saying('') },
    { usbguard: 'running', new_devices: 'refused', storage_blocked: false },
  ],
  'USBGuard that is stopped': [
    { ...hub('1'), '/proc/1/comm': 'systemd\n', '/usr/bin/usbguard-daemon': saying('') },
    { ...OPEN, usbguard: 'stopped' },
  ],
  'a rule against sticks': [
    { ...hub('1'), '/etc/modprobe.d/usb.conf': '# sticks\nblacklist usb-storage\n' },
    { ...OPEN, storage_blocked: true },
  ],
  'a rule in a file of another name': [
    { ...hub('1'), '/etc/modprobe.d/usb.disabled': 'blacklist usb-storage\n' },
    OPEN,
  ],
  'a rule, and the driver there all the same': [
    { ...hub('1'), '/etc/modprobe.d/usb.conf': 'blacklist usb_storage\n', '/sys/module/usb_storage/refcnt': '0\n' },
    OPEN,
  ],
  "the kernel's command line": [
    { ...hub('1'), '/proc/cmdline': 'root=/dev/sda1 modprobe.blacklist=uas,usb_storage quiet\n' },
    { ...OPEN, storage_blocked: true },
  ],
  'no sysfs': [{}, 'unknown'],
};
for (const [title, [files, answer]] of Object.entries(MACHINES)) {
  test(`USB: ${title}`, async (t) => {
    t.like(await look(t, protection, files), { usb: answer });
  });
}

test('USB: a machine without any has no answer', async (t) => {
  const answer = await look(t, protection, { '/sys/bus/usb/devices/.keep': '' });
  t.false(Object.hasOwn(Object(answer), 'usb'));
});

for (const [line, blocks] of [
  ['install usb-storage /bin/false', true],
  ['install usb_storage /usr/bin/true', true],
  ['\tblacklist   usb-storage', true],
  ['# blacklist usb-storage', false],
  ['install usb-storage /sbin/modprobe --ignore-install usb-storage', false],
  ['options usb-storage quirks=1:2:u', false],
  ['blacklist usb-storage-other', false],
] as const) {
  test(`"${line.trim()}" ${blocks ? 'keeps sticks out' : 'does not'}`, (t) => {
    t.is(blocksStorage(line), blocks);
  });
}
