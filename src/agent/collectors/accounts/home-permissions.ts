import type { HostAccess } from '../../collector.ts';
import type { Fact } from '../group.ts';
import { factsOf } from '../lenient.ts';
import { readPeople } from './read-accounts.ts';

const OTHERS_READ = 0o004;
const OTHERS_WRITE = 0o002;

/** Only the modes of the home directories themselves; nothing in them is looked at. */
export const homePermissions: Fact = {
  name: 'home_permissions',
  look: async (host) => {
    const people = (await readPeople(host)).filter(({ home }) => home.startsWith('/') && home !== '/');
    const modes = await Promise.all(people.map(async ({ name, home }) => ({ name, mode: await modeOf(host, home) })));
    const having = (bits: number) =>
      [
        ...new Set(modes.filter(({ mode }) => mode !== undefined && (mode & bits) !== 0).map(({ name }) => name)),
      ].sort();
    return { readable: having(OTHERS_READ), writable: having(OTHERS_WRITE) };
  },
};

async function modeOf(host: HostAccess, home: string): Promise<number | undefined> {
  const facts = await factsOf(host, home);
  return facts?.kind === 'directory' ? facts.mode : undefined;
}
