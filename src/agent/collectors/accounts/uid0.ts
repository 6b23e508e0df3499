import type { Fact } from '../group.ts';
import { readAccounts } from './read-accounts.ts';

export const uid0: Fact = {
  name: 'uid0',
  look: async (host) => {
    const names = (await readAccounts(host)).filter(({ uid, name }) => uid === 0 && name !== 'root');
    return [...new Set(names.map(({ name }) => name))].sort();
  },
};
