import { seconds } from '../../../core/duration.ts';
import type { HostAccess } from '../../collector.ts';
import { factsOf, linkAt, textOf } from '../lenient.ts';
import type { Family } from './model.ts';
import { type Iptables, parseIptables } from './parse-iptables.ts';
import { type NftTable, parseNft } from './parse-nft.ts';

/** `absent`: no such program; `unreadable`: it may not look, or what it says is not understood. */
export type Seen<T> = T | 'absent' | 'unreadable';

const LIMITS = { timeout: seconds(20), maxOutput: 32 * 1024 * 1024 };
const NO_RULES = '-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n';

export const PROGRAMS: Readonly<Record<Family, string>> = { ip: 'iptables', ip6: 'ip6tables' };

export async function readNft(host: HostAccess): Promise<Seen<NftTable[]>> {
  const nft = await host.find('nft');
  if (nft === undefined) return 'absent';
  if (await isNftUnloaded(host)) return [];
  const { code, stdout } = await host.run(nft, ['-j', 'list', 'ruleset'], LIMITS);
  return (code === 0 ? parseNft(stdout) : undefined) ?? 'unreadable';
}

/** The rules of whichever kind `iptables` is here: a front of nftables, or the old one. A table that does not exist is not asked for. */
export async function readIptables(host: HostAccess, family: Family, nft: Seen<NftTable[]>): Promise<Seen<Iptables>> {
  const program = await host.find(PROGRAMS[family]);
  if (program === undefined) return 'absent';
  if (await isLegacy(host, program)) return readLegacyTable(host, family, program);
  if (await isNftUnloaded(host)) return parseIptables(NO_RULES, family);
  if (typeof nft !== 'string' && !nft.some((table) => isIptablesTable(table, family)))
    return parseIptables(NO_RULES, family);
  return listRules(host, program, family);
}

/**
 * The old kind's rules beside the new one's, which shows nothing of them.
 * @returns `absent` where there are none
 */
export async function readLegacy(host: HostAccess, family: Family): Promise<Seen<Iptables>> {
  const main = await host.find(PROGRAMS[family]);
  if (main !== undefined && (await isLegacy(host, main))) return 'absent';
  const program = await host.find(`${PROGRAMS[family]}-legacy`);
  const tables = await legacyTables(host, family);
  if (tables === undefined) return program === undefined ? 'absent' : 'unreadable';
  if (!tables.includes('filter')) return 'absent';
  return program === undefined ? 'unreadable' : listRules(host, program, family);
}

/** The table that `iptables` writes to through nftables. */
export function isIptablesTable({ family, name }: NftTable, of: Family): boolean {
  return family === of && name === 'filter';
}

/** Whether it is sure that the kernel holds no rules, because the code for them is not even loaded: what everybody may see. */
export async function isFilterUnloaded(host: HostAccess): Promise<boolean> {
  const loaded = await textOf(host, '/proc/modules');
  const builtIn = await textOf(host, `/lib/modules/${host.release()}/modules.builtin`);
  if (loaded === undefined || builtIn === undefined) return false;
  return !/^(?:nf_tables|ip6?_tables) /m.test(loaded) && !/\/(?:nf_tables|ip6?_tables)\.ko/.test(builtIn);
}

/** The same of nftables alone. Asking for its rules would make the kernel load it. */
async function isNftUnloaded(host: HostAccess): Promise<boolean> {
  const loaded = await textOf(host, '/proc/modules');
  const builtIn = await textOf(host, `/lib/modules/${host.release()}/modules.builtin`);
  if (loaded === undefined || builtIn === undefined) return false;
  return !/^nf_tables /m.test(loaded) && !/\/nf_tables\.ko/.test(builtIn);
}

/** Whether rules may be there although nothing that writes them is installed: another system's tools, or a container's host. */
export async function isFilterLoaded(host: HostAccess): Promise<boolean> {
  return /^(?:nf_tables|ip6?_tables) /m.test((await textOf(host, '/proc/modules')) ?? '');
}

async function readLegacyTable(host: HostAccess, family: Family, program: string): Promise<Seen<Iptables>> {
  const tables = await legacyTables(host, family);
  if (tables === undefined) return 'unreadable';
  // Asking for the table would make the kernel load it.
  return tables.includes('filter') ? listRules(host, program, family) : parseIptables(NO_RULES, family);
}

async function listRules(host: HostAccess, program: string, family: Family): Promise<Seen<Iptables>> {
  const { code, stdout } = await host.run(program, ['-S'], LIMITS);
  return code === 0 ? parseIptables(stdout, family) : 'unreadable';
}

/** @returns undefined where only root may see it, and we are not */
async function legacyTables(host: HostAccess, family: Family): Promise<string[] | undefined> {
  const path = `/proc/net/${family}_tables_names`;
  const text = await textOf(host, path);
  if (text !== undefined) return text.split('\n');
  return (await factsOf(host, path)) === undefined ? [] : undefined;
}

/** Both kinds are one program under many names. */
async function isLegacy(host: HostAccess, program: string): Promise<boolean> {
  let path = program;
  for (let step = 0; step < 8; step += 1) {
    if (path.includes('legacy')) return true;
    const target = await linkAt(host, path);
    if (target === undefined) return false;
    path = target.startsWith('/') ? target : `${path.slice(0, path.lastIndexOf('/'))}/${target}`;
  }
  return false;
}
