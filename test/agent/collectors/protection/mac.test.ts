import test from 'ava';
import { protection } from '../../../../src/agent/collectors/protection/index.ts';
import { parseProfiles } from '../../../../src/agent/collectors/protection/mac.ts';
import { look } from '../look.ts';

const ENABLED = { '/sys/module/apparmor/parameters/enabled': 'Y\n' };
const PROFILES = '/sys/kernel/security/apparmor/profiles';
/** As on Ubuntu 24.04; those of libvirt, LXD and Incus and the made up one come and go. */
const UBUNTU =
  'snap.firefox.firefox (enforce)\n/usr/sbin/cupsd//third_party (enforce)\n/usr/bin/man (enforce)\nSomething//null-/usr/bin/x (complain)\nlibvirt-0a1b2c3d-0000-1111-2222-333344445555 (enforce)\nlxd-c1_</var/snap/lxd/common/lxd> (enforce)\nlxd_dnsmasq-lxdbr0_</var/snap/lxd/common/lxd> (enforce)\n:lxd-c1_<var-snap-lxd-common-lxd>:///usr/bin/man (enforce)\nincus-c2_</var/lib/incus> (enforce)\nplasmashell (unconfined)\nusr.sbin.mysqld (complain)\n';

const MACHINES: Record<string, [files: Record<string, string>, answer: object | string]> = {
  'SELinux, enforcing': [{ '/sys/fs/selinux/enforce': '1' }, { kind: 'selinux', enforcing: true }],
  'SELinux, permissive': [{ '/sys/fs/selinux/enforce': '0' }, { kind: 'selinux', enforcing: false }],
  'AppArmor with profiles': [
    { ...ENABLED, [PROFILES]: UBUNTU },
    { kind: 'apparmor', enforcing: true, profiles: { enforce: 3, complain: 1 } },
  ],
  'AppArmor whose profiles only complain': [
    { ...ENABLED, [PROFILES]: 'a (complain)\nb (unconfined)\n' },
    { kind: 'apparmor', enforcing: false, profiles: { enforce: 0, complain: 1 } },
  ],
  'AppArmor without profiles': [
    { ...ENABLED, [PROFILES]: '' },
    { kind: 'apparmor', enforcing: false, profiles: { enforce: 0, complain: 0 } },
  ],
  'AppArmor whose profiles are out of sight': [ENABLED, { kind: 'apparmor', enforcing: 'unknown' }],
  'AppArmor switched off at the kernel command line': [
    { '/sys/module/apparmor/parameters/enabled': 'N\n' },
    { kind: 'none', enforcing: false },
  ],
  'a kernel without either': [{ '/sys/module/ext4/refcnt': '1\n' }, { kind: 'none', enforcing: false }],
  'no sysfs': [{}, 'unknown'],
};
for (const [title, [files, answer]] of Object.entries(MACHINES)) {
  test(`mandatory access control: ${title}`, async (t) => {
    t.like(await look(t, protection, files), { mac: answer });
  });
}

test('what is no profile is not counted', (t) => {
  t.deepEqual(parseProfiles('\u0000\nenforce\n(enforce) x\na (kill)\n'), { enforce: 1, complain: 0 });
});
