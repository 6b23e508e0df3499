import type { CollectorTools, HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { namesIn } from '../lenient.ts';
import { readPeople } from './read-accounts.ts';

/** As `collectors.enabled` names it: home directories are looked into only where the settings ask for it. */
const ASKED_BY = 'accounts.ssh_keys';
/** Of each file: the cipher, and of OpenSSH's format the public key's type; no private part of it. */
const HEAD = 112;
const MOST_FILES = 200;
/** The public halves, and what else lies there, among them. */
const MOST_NAMES = 1000;

export const sshKeys: Fact = {
  name: 'ssh_keys',
  look: async (host, tools: CollectorTools) => {
    if (!tools.settings.enabled.includes(ASKED_BY)) return undefined;
    if (!host.isRoot) return unknown('home directories can be read by root alone');
    const people = await readPeople(host, true);
    const counted = await Promise.all(
      people.map(async ({ name, uid, home }) => ({ user: name, ...(await count(host, home, uid)) })),
    );
    return counted.filter(({ keys }) => keys > 0).sort((a, b) => (a.user < b.user ? -1 : 1));
  },
};

async function count(host: HostAccess, home: string, uid: number): Promise<{ keys: number; unprotected: number }> {
  const folder = `${home}/.ssh`;
  const names = ((await namesIn(host, folder, MOST_NAMES)) ?? [])
    .filter((name) => !name.endsWith('.pub'))
    .slice(0, MOST_FILES);
  const heads = await Promise.all(
    names.map((name) => host.readText(`${folder}/${name}`, { max: HEAD, head: true, of: uid }).catch(() => undefined)),
  );
  const kinds = heads.map((head) => keyProtection(head ?? ''));
  return {
    keys: kinds.filter((kind) => kind !== 'no key').length,
    unprotected: kinds.filter((kind) => kind === 'none').length,
  };
}

/** What stands between a private key and whoever has the file; `hardware`: the file is of no use without the token that it names. */
export function keyProtection(head: string): 'no key' | 'none' | 'passphrase' | 'hardware' {
  const [, kind, rest = ''] = /^-----BEGIN ((?:[A-Z0-9]+ )*)PRIVATE KEY-----\s+([\s\S]*)$/.exec(head) ?? [];
  if (kind === undefined) return 'no key';
  if (kind === 'OPENSSH ') return opensshProtection(rest);
  // RFC 5958 says so in its label, the older format of RFC 1421 in a header.
  return kind === 'ENCRYPTED ' || /^Proc-Type:\s*4,ENCRYPTED/.test(rest) ? 'passphrase' : 'none';
}

/** PROTOCOL.key of OpenSSH: magic, cipher, kdf, its options, number of keys, public key (which starts with its type). */
function opensshProtection(base64: string): 'no key' | 'none' | 'passphrase' | 'hardware' {
  const bytes = Buffer.from(base64, 'base64').toString('latin1');
  if (!bytes.startsWith('openssh-key-v1\0')) return 'no key';
  if (!/^openssh-key-v1\0\0\0\0\x04none/.test(bytes)) return 'passphrase';
  return /\0\0\0.sk-/s.test(bytes) ? 'hardware' : 'none';
}
