import { messageOf } from '../../../core/errors.ts';
import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { namesIn } from '../lenient.ts';
import { SYSCTL_KEYS, type SysctlKey } from './sysctl-keys.ts';

/** The running kernel's own word: what files below /etc say may have been overridden, or never read. */
export const sysctl: Fact = { name: 'sysctl', look: lookAtSettings };

interface Tree {
  [step: string]: unknown;
}

async function lookAtSettings(host: HostAccess): Promise<unknown> {
  if (((await namesIn(host, '/proc/sys/kernel')) ?? []).length === 0) return unknown('cannot read /proc/sys');
  const settings = await Promise.all(SYSCTL_KEYS.map((key) => lookAtKey(host, key)));
  const tree: Tree = {};
  for (const [index, { key }] of SYSCTL_KEYS.entries()) plant(tree, key.split('.'), settings[index]);
  return tree;
}

async function lookAtKey(host: HostAccess, { key, expected, missing }: SysctlKey): Promise<unknown> {
  try {
    const text = await host.readText(pathOf(key));
    if (text === undefined) return missing === undefined ? undefined : { value: 'missing', expected, ok: false };
    const value = /^-?\d{1,15}$/.test(text.trim()) ? Number(text) : undefined;
    return value === undefined
      ? unknown(`cannot make out ${pathOf(key)}`)
      : { value, expected, ok: expected.includes(value) };
  } catch (error) {
    return unknown(messageOf(error));
  }
}

export function pathOf(key: string): string {
  return `/proc/sys/${key.replaceAll('.', '/')}`;
}

/** The steps of a key become those of the path by which a check reaches it: `sysctl.kernel.kptr_restrict.value`. */
function plant(tree: Tree, [step, ...further]: readonly string[], value: unknown): void {
  if (step === undefined || value === undefined) return;
  if (further.length === 0) {
    tree[step] = value;
    return;
  }
  const below = tree[step];
  const branch: Tree = isTree(below) ? below : {};
  tree[step] = branch;
  plant(branch, further, value);
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null;
}
