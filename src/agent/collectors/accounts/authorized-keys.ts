import type { CollectorTools, HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { readPeople } from './read-accounts.ts';

/** As `collectors.enabled` names it: home directories are looked into only where the settings ask for it. */
const ASKED_BY = 'accounts.authorized_keys';
const FILES = ['.ssh/authorized_keys', '.ssh/authorized_keys2'];

export const authorizedKeys: Fact = {
  name: 'authorized_keys',
  look: async (host, tools: CollectorTools) => {
    if (!tools.settings.enabled.includes(ASKED_BY)) return undefined;
    if (!host.isRoot) return unknown('home directories can be read by root alone');
    const people = await readPeople(host, true);
    const counted = await Promise.all(
      people.map(async ({ name, uid, home }) => ({ user: name, keys: await count(host, home, uid) })),
    );
    return counted.filter(({ keys }) => keys > 0).sort((a, b) => (a.user < b.user ? -1 : 1));
  },
};

async function count(host: HostAccess, home: string, uid: number): Promise<number> {
  const texts = await Promise.all(
    FILES.map((file) => host.readText(`${home}/${file}`, { of: uid }).catch(() => undefined)),
  );
  return texts
    .join('\n')
    .split('\n')
    .filter((line) => /^[^#\s]/.test(line.trimStart())).length;
}
