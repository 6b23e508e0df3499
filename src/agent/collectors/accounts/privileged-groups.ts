import type { Fact } from '../group.ts';
import { readAccounts, readGroups, readPeople } from './read-accounts.ts';

/** Whose members are root, or become root at will: by sudo or polkit, a container's or machine's host folders, or the disks themselves. */
const PRIVILEGED = new Set([
  'admin',
  'disk',
  'docker',
  'incus',
  'incus-admin',
  'kmem',
  'kvm',
  'libvirt',
  'lxd',
  'root',
  'shadow',
  'sudo',
  'wheel',
]);

export const privilegedGroups: Fact = {
  name: 'privileged_groups',
  look: async (host) => {
    const [groups, accounts, people] = await Promise.all([readGroups(host), readAccounts(host), readPeople(host)]);
    const roots = new Set(accounts.filter(({ uid }) => uid === 0).map(({ name }) => name));
    const found = groups
      .filter(({ name }) => PRIVILEGED.has(name))
      .map(({ name, gid, members }) => {
        // Somebody's own (first) group is in /etc/passwd. Of system accounts (Fedora's `sync`) it means nothing: nobody logs in as them.
        const owners = people.filter((person) => person.gid === gid).map((person) => person.name);
        return [name, [...new Set([...members, ...owners])].filter((member) => !roots.has(member)).sort()] as const;
      })
      .filter(([, members]) => members.length > 0);
    return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
  },
};
