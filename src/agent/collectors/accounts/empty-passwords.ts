import { type Fact, unknown } from '../group.ts';
import { NO_SHADOW, readAccounts, readPasswords } from './read-accounts.ts';

export const emptyPasswords: Fact = {
  name: 'empty_passwords',
  look: async (host) => {
    const [accounts, hashes] = await Promise.all([readAccounts(host), readPasswords(host)]);
    const empty = accounts.filter(({ name, password }) => (password === 'x' ? hashes?.get(name) : password) === '');
    // One that /etc/passwd itself shows is one, whatever the other file says.
    if (hashes === undefined && empty.length === 0) return unknown(NO_SHADOW);
    return [...new Set(empty.map(({ name }) => name))].sort();
  },
};
