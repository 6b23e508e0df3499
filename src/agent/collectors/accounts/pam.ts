import type { HostAccess } from '../../collector.ts';

export interface PamModule {
  control: string;
  /** without folder and `.so` */
  module: string;
  args: string[];
}

export type PamType = 'auth' | 'account' | 'password' | 'session';

const DEEPEST = 8;

/**
 * The modules of one type that a service asks, in order, included stacks in their place (pam.d(5)).
 * @returns undefined where the machine has no such service
 */
export async function readStack(
  host: HostAccess,
  service: string,
  type: PamType,
  depth = 0,
): Promise<PamModule[] | undefined> {
  if (depth > DEEPEST || !/^[\w.+-]+$/.test(service)) return undefined;
  const text = (await host.readText(`/etc/pam.d/${service}`)) ?? (await host.readText(`/usr/lib/pam.d/${service}`));
  if (text === undefined) return undefined;
  const stack: PamModule[] = [];
  for (const line of parsePam(text)) {
    if ('include' in line) {
      if (line.type === undefined || line.type === type) {
        stack.push(...((await readStack(host, line.include, type, depth + 1)) ?? []));
      }
    } else if (line.type === type) {
      stack.push({ control: line.control, module: line.module, args: line.args });
    }
  }
  return stack;
}

type PamLine = { include: string; type?: PamType } | (PamModule & { type: PamType });

const TYPES: readonly PamType[] = ['auth', 'account', 'password', 'session'];

export function parsePam(text: string): PamLine[] {
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .flatMap((each): PamLine[] => {
      const line = each.replace(/(^|\s)#.*/, '').trim();
      const included = /^@include\s+(\S+)$/.exec(line)?.[1];
      if (included !== undefined) return [{ include: included }];
      const [, word, control, path, rest = ''] = /^-?(\w+)\s+(\[[^\]]*\]|\S+)\s+(\S+)\s*(.*)$/.exec(line) ?? [];
      const type = TYPES.find((known) => known === word?.toLowerCase());
      if (type === undefined || control === undefined || path === undefined) return [];
      if (control === 'include' || control === 'substack') return [{ include: path, type }];
      const module = path.replace(/^.*\//, '').replace(/\.so$/, '');
      return [{ type, control, module, args: rest.match(/\[[^\]]*\]|\S+/g) ?? [] }];
    });
}
