import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { textOf } from '../lenient.ts';

const FLEETING = /^(?:libvirt-[0-9a-f-]{36}|(?:lxd|incus)[a-z_]*-[^<]*_<|:(?:lxd|incus)-)/;
const PROFILES = '/sys/kernel/security/apparmor/profiles';

/** Mandatory access control: rules that even programs of root cannot leave. */
export const mac: Fact = {
  name: 'mac',
  look: async (host) => {
    const enforce = (await textOf(host, '/sys/fs/selinux/enforce'))?.trim();
    if (enforce === '1' || enforce === '0') return { kind: 'selinux', enforcing: enforce === '1' };
    const enabled = (await textOf(host, '/sys/module/apparmor/parameters/enabled'))?.trim();
    if (enabled === 'Y') return apparmor(host);
    if ((await host.list('/sys/module'))?.length) return { kind: 'none', enforcing: false };
    return unknown('sysfs is not mounted');
  },
};

async function apparmor(host: HostAccess) {
  const text = await host.readText(PROFILES, { max: 4 * 1024 * 1024 }).catch(() => undefined);
  if (text === undefined) {
    const reason = host.isRoot
      ? `${PROFILES} is not there: securityfs is not mounted`
      : `${PROFILES} can be read by root alone`;
    return { kind: 'apparmor', enforcing: unknown(reason) };
  }
  const { enforce, complain } = parseProfiles(text);
  return { kind: 'apparmor', enforcing: enforce > 0, profiles: { enforce, complain } };
}

/**
 * `NAME (MODE)` a line. Left out is what comes and goes by itself: those that a complaining profile makes up (`//null-`), and those
 * that libvirt, LXD and Incus load for each machine and container that runs, with what LXD's containers load in namespaces of their own.
 */
export function parseProfiles(text: string): { enforce: number; complain: number } {
  const modes = text
    .split('\n')
    .filter((line) => !line.includes('//null-') && !FLEETING.test(line))
    .map((line) => /\((\w+)\)$/.exec(line)?.[1]);
  return {
    enforce: modes.filter((mode) => mode === 'enforce' || mode === 'kill').length,
    complain: modes.filter((mode) => mode === 'complain').length,
  };
}
