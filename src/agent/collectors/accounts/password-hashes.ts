import { type Fact, unknown } from '../group.ts';
import { passwordKind, WEAK_KINDS } from './parse-accounts.ts';
import { NO_SHADOW, readAccounts, readPasswords } from './read-accounts.ts';

export const passwordHashes: Fact = {
  name: 'password_hashes',
  look: async (host) => {
    const [accounts, hashes] = await Promise.all([readAccounts(host), readPasswords(host)]);
    if (hashes === undefined) return unknown(NO_SHADOW);
    const byKind = new Map<string, string[]>();
    const weak: string[] = [];
    for (const { name, password } of accounts) {
      const kind = passwordKind(password === 'x' ? (hashes.get(name) ?? '*') : password);
      if (kind === 'none' || kind === 'locked') continue;
      byKind.set(kind, [...(byKind.get(kind) ?? []), name]);
      if (WEAK_KINDS.has(kind)) weak.push(name);
    }
    const counts = [...byKind].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, names]) => [kind, names.length]);
    return { kinds: Object.fromEntries(counts), weak: [...new Set(weak)].sort() };
  },
};
