import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { textOf } from '../lenient.ts';
import { judgeSudoers } from './judge-sudoers.ts';
import { parseSudoers } from './parse-sudoers.ts';
import { readAccounts, readGroups } from './read-accounts.ts';
import { readSudoers } from './read-sudoers.ts';

const FILE = '/etc/sudoers';

export const sudo: Fact = {
  name: 'sudo',
  look: async (host) => {
    if ((await host.find('sudo')) === undefined) return { installed: false, everything: [], passwordless: [] };
    const lines = await readSudoers(host, FILE);
    const parsed = parseSudoers(lines);
    if (lines.length === 0) return unknown(`there are no rules in ${FILE}`);
    const [first] = parsed.unclear;
    if (first !== undefined)
      return unknown(`cannot make out a line of ${FILE}, or of what it includes: ${first.slice(0, 40)}`);
    const hostname = (await textOf(host, '/proc/sys/kernel/hostname'))?.trim() ?? '';
    const { everything, passwordless, exemptGroup } = judgeSudoers(parsed, hostname, await groupsOn(host));
    const elsewhere = await otherSources(host);
    return {
      installed: true,
      everything: everything.map(({ who, password }) => ({
        who,
        password: password ?? unknown('the rule is for an address or a group of hosts'),
      })),
      passwordless,
      ...(exemptGroup === undefined ? {} : { exempt_group: exemptGroup }),
      ...(elsewhere.length === 0 ? {} : { other_sources: elsewhere }),
    };
  },
};

/** What /etc/group and /etc/passwd say; nothing is known of the groups of a directory. */
async function groupsOn(host: HostAccess): Promise<(user: string) => string[]> {
  const groups = await readGroups(host).catch(() => []);
  const accounts = await readAccounts(host).catch(() => []);
  return (user) => {
    const gid = accounts.find(({ name }) => name === user)?.gid;
    return groups.filter((group) => group.members.includes(user) || group.gid === gid).map(({ name }) => name);
  };
}

/** Where sudo looks for rules beside the file: `sudoers: files sss` in nsswitch.conf. */
async function otherSources(host: HostAccess): Promise<string[]> {
  const text = (await textOf(host, '/etc/nsswitch.conf')) ?? '';
  const line = /^\s*sudoers:\s*([^#\n]*)/m.exec(text)?.[1] ?? '';
  return line
    .split(/\s+/)
    .filter((word) => /^[a-z]+$/.test(word) && word !== 'files')
    .sort();
}
