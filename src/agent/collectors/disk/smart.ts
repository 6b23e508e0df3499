import { days, minutes } from '../../../core/duration.ts';
import type { HostAccess } from '../../collector.ts';
import { readBlockDevice } from '../block-devices.ts';
import { type Fact, unknown } from '../group.ts';
import { namesIn } from '../lenient.ts';
import { parseSmart } from './parse-smart.ts';

/** Sleeping disks are not woken: what they say is asked again the next time. Status bits say what is wrong with the disk, too. */
const ARGUMENTS = ['--json=c', '--nocheck=standby', '--info', '--health', '--attributes', '--log=ssd'];

export const smart: Fact = {
  name: 'smart',
  timeout: minutes(2),
  interval: days(1),
  look: async (host: HostAccess) => {
    const disks = await findDisks(host);
    if (disks === undefined) return unknown('sysfs does not show the disks');
    if (disks.length === 0) return undefined;
    const smartctl = await host.find('smartctl');
    if (smartctl === undefined) return unknown('smartctl (smartmontools) is not installed');
    if (!host.isRoot) return unknown('only root may ask disks for their health');
    const answers = [];
    for (const disk of disks) {
      const device = `/dev/${disk}`;
      const { stdout } = await host.run(smartctl, [...ARGUMENTS, device]);
      answers.push({ device, ...parseSmart(stdout) });
    }
    return answers;
  },
};

/** Built-in disks of a kind that has SMART: SATA, SAS and NVMe, and not those of virtual machines (vda) or SD cards. Sorted. */
async function findDisks(host: HostAccess): Promise<string[] | undefined> {
  const names = await namesIn(host, '/sys/class/block');
  const disks = names?.filter((name) => /^(?:sd[a-z]+|nvme\d+n\d+)$/.test(name)) ?? [];
  const kept = await Promise.all(disks.map(async (name) => ((await isBuiltIn(host, name)) ? [name] : [])));
  return names === undefined ? undefined : kept.flat();
}

async function isBuiltIn(host: HostAccess, name: string): Promise<boolean> {
  const device = await readBlockDevice(host, name);
  return device !== undefined && !device.removable;
}
