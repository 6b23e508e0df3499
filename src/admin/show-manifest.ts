import type { Manifest } from '../wire/v2/order.ts';
import { showTime } from './show-time.ts';

/** What an order says, as lines of names and values. */
export function showManifest(manifest: Manifest): [name: string, value: string][] {
  const { id, kind, by, why, made_at, not_before, expires_at, files } = manifest;
  return [
    ['order', id],
    ['kind', kind],
    ['hosts', hostsOf(manifest)],
    ...special(manifest),
    ...files.map(({ path, mode, size, sha256 }): [string, string] => [
      'file',
      `${path} (mode ${mode.toString(8).padStart(4, '0')}, ${size} bytes, SHA-256 ${sha256})`,
    ]),
    ['by', by],
    ['why', why === '' ? '-' : why],
    ['made', showTime(new Date(made_at))],
    ...(not_before === undefined
      ? []
      : ([['not before', showTime(new Date(not_before))]] satisfies [string, string][])),
    ['expires', showTime(new Date(expires_at))],
  ];
}

function hostsOf({ targets }: Manifest): string {
  return targets === 'all' ? 'all' : targets.map(({ hostname, host_id }) => `${hostname} (${host_id})`).join(', ');
}

function special(manifest: Manifest): [string, string][] {
  switch (manifest.kind) {
    case 'command':
      return [['timeout', `${manifest.timeout} s`]];
    case 'patch':
      return manifest.removed.map((path) => ['removes', path]);
    case 'release':
      return [['release', `${manifest.number}; what it does not hold is removed`]];
    case 'settings':
      return [['wants', JSON.stringify(manifest.wanted)]];
    case 'wipe':
      return [['method', `${manifest.method}: ${WIPES[manifest.method]}`]];
    case 'unlock':
      return [];
    default:
      return manifest satisfies never;
  }
}

/** What each way to wipe does. */
export const WIPES: Record<Extract<Manifest, { kind: 'wipe' }>['method'], string> = {
  'crypto-erase':
    "destroys all LUKS key slots of the machine's encrypted disks and switches it off: nobody can read them any more. It cannot be undone, and does not reach unencrypted disks or header backups elsewhere",
  homes:
    "kills the processes of people's accounts, and removes these accounts with their home folders. It cannot be undone, and does not reach backups elsewhere",
  lock: 'expires passwords, ends sessions and disables logins over the network. penguindome unlock undoes it',
};

export function printFacts(output: { line(text: string): void }, facts: readonly [string, string][]): void {
  for (const [name, value] of facts) output.line(`${name.padEnd(11)} ${value}`);
}
