import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { factsOf, namesIn, textOf } from '../lenient.ts';
import { serviceRuns } from '../processes.ts';

const DEVICES = '/sys/bus/usb/devices';
const MODPROBE = [
  '/etc/modprobe.d',
  '/run/modprobe.d',
  '/usr/local/lib/modprobe.d',
  '/usr/lib/modprobe.d',
  '/lib/modprobe.d',
];

export const usb: Fact = {
  name: 'usb',
  look: async (host) => {
    const devices = await namesIn(host, DEVICES);
    if (devices === undefined) return unknown(`${DEVICES} is not there`);
    const hubs = devices.filter((name) => /^usb\d+$/.test(name));
    // No USB at all: a virtual machine.
    if (hubs.length === 0) return undefined;
    const [usbguard, storage] = await Promise.all([usbguardState(host), storageBlocked(host)]);
    const defaults = await Promise.all(hubs.map((hub) => textOf(host, `${DEVICES}/${hub}/authorized_default`)));
    return {
      usbguard,
      new_devices: newDevices(defaults.map((each) => each?.trim())),
      storage_blocked: storage,
    };
  },
};

async function usbguardState(host: HostAccess) {
  if ((await host.find('usbguard-daemon')) === undefined) return 'absent';
  const runs = await serviceRuns(host, ['usbguard-daemon']);
  return runs === undefined ? unknown('/proc hides the processes of others') : runs ? 'running' : 'stopped';
}

/** usb(5) of the kernel: 0 none, 1 all, 2 those inside the machine alone. USBGuard sets 0 or 2 while it runs. */
function newDevices(defaults: readonly (string | undefined)[]) {
  if (defaults.some((each) => each === undefined)) return unknown('a hub does not tell what it does with new devices');
  if (defaults.every((each) => each === '0')) return 'refused';
  return defaults.every((each) => each === '0' || each === '2') ? 'internal' : 'accepted';
}

/** A rule of modprobe.d(5) or of the kernel's command line, and the driver not there all the same. */
async function storageBlocked(host: HostAccess): Promise<boolean> {
  if ((await factsOf(host, '/sys/module/usb_storage')) !== undefined) return false;
  const command = (await textOf(host, '/proc/cmdline')) ?? '';
  const listed = [...command.matchAll(/\b(?:modprobe\.blacklist|module_blacklist)=(\S+)/g)].flatMap(([, names = '']) =>
    names.split(','),
  );
  if (listed.some(isStorage)) return true;
  const texts = await Promise.all(MODPROBE.map((folder) => textsIn(host, folder)));
  return texts.flat().some(blocksStorage);
}

async function textsIn(host: HostAccess, folder: string): Promise<string[]> {
  const names = ((await namesIn(host, folder)) ?? []).filter((name) => name.endsWith('.conf'));
  return Promise.all(names.map(async (name) => (await textOf(host, `${folder}/${name}`)) ?? ''));
}

const isStorage = (name: string) => name.replaceAll('-', '_') === 'usb_storage';

/** `blacklist usb-storage` keeps a stick from loading it; `install usb-storage /bin/false` root as well. */
export function blocksStorage(text: string): boolean {
  return text.split('\n').some((line) => {
    const [verb, name = '', program = ''] = line.trim().split(/\s+/);
    if (!isStorage(name)) return false;
    return verb === 'blacklist' || (verb === 'install' && /^(\/usr)?\/bin\/(true|false)$/.test(program));
  });
}
