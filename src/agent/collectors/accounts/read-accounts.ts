import type { HostAccess } from '../../collector.ts';
import { readLoginDefs } from './login-defs.ts';
import { type Account, type Group, parseGroup, parsePasswd, parseShadow } from './parse-accounts.ts';

const BIG = 16 * 1024 * 1024;

/** The accounts that are kept on this machine; those of a directory (LDAP, SSSD) are not. @throws where they cannot be read */
export async function readAccounts(host: HostAccess): Promise<Account[]> {
  const accounts = parsePasswd((await host.readText('/etc/passwd', { max: BIG })) ?? '');
  if (accounts.length === 0) throw new Error('cannot find an account in /etc/passwd');
  return accounts;
}

export async function readGroups(host: HostAccess): Promise<Group[]> {
  const groups = parseGroup((await host.readText('/etc/group', { max: BIG })) ?? '');
  if (groups.length === 0) throw new Error('cannot find a group in /etc/group');
  return groups;
}

/** @returns what stands for each account's password; undefined where /etc/shadow is not to be read, or not there */
export async function readPasswords(host: HostAccess): Promise<Map<string, string> | undefined> {
  const text = await host.readText('/etc/shadow', { max: BIG }).catch(() => undefined);
  return text === undefined ? undefined : parseShadow(text);
}

export const NO_SHADOW = '/etc/shadow cannot be read: it is for root alone';

/** People's own, by the numbers that login.defs(5) gives them; root is one where `withRoot`. */
export async function readPeople(host: HostAccess, withRoot = false): Promise<Account[]> {
  const defs = await readLoginDefs(host);
  const [min, max] = [Number(defs.get('UID_MIN') ?? 1000), Number(defs.get('UID_MAX') ?? 60_000)];
  const accounts = await readAccounts(host);
  return accounts.filter(({ uid }) => (uid >= min && uid <= max) || (withRoot && uid === 0));
}
