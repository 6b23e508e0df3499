import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, OperatorError } from '../../core/errors.ts';
import { makeTar, type TarFile } from '../../wire/tar.ts';
import { EXIT } from '../exit-codes.ts';
import { withFolders } from '../site-package/content.ts';
import type { Runtime } from './read-runtime.ts';

/** What penguindome-server brings for it: the agent as it is installed, and what installs it. */
export interface Parts {
  agent: Buffer;
  install: Buffer;
  version: string;
  /** seconds since 1970: when that version was made */
  at: number;
}

/** Below it Node does not run (its BUILDING.md, "Platform list"). */
const KERNEL = '4.18';

/** @throws OperatorError where they are not there, or not whole */
export async function readParts(folder: string): Promise<Parts> {
  const read = (name: string) =>
    readFile(join(folder, name)).catch((cause: unknown) => {
      throw new OperatorError(
        `cannot read ${join(folder, name)}: ${messageOf(cause)}; penguindome-server brings it, and npm run package -- payload DIR makes it in DIR/bootstrap (--parts)`,
        { exitCode: EXIT.usage, cause },
      );
    });
  const [agent, install] = await Promise.all([read('agent.tar'), read('install.sh')]);
  const version = /^version=(\d+\.\d+\.\d+)$/m.exec(install.toString('utf8'))?.[1];
  // ustar: when the first file of it was changed
  const at = Number.parseInt(agent.subarray(136, 147).toString('latin1'), 8);
  if (version !== undefined && agent.subarray(257, 262).toString('latin1') === 'ustar' && Number.isSafeInteger(at))
    return { agent, install, version, at };
  throw new OperatorError(`cannot use ${folder}: install.sh or agent.tar in it is not what penguindome-server brings`, {
    exitCode: EXIT.usage,
  });
}

/** The same parts make the same bytes. @returns its name, without an ending, and the tar */
export function composeBootstrap(
  { agent, install, version, at }: Parts,
  runtime: Runtime | undefined,
  site: readonly TarFile[],
): { name: string; tar: Uint8Array } {
  const name = `penguindome-agent-${version}-${runtime?.machine ?? 'any'}`;
  const about = [
    `machine=${runtime?.machine ?? 'any'}`,
    `glibc=${runtime?.glibc ?? ''}`,
    `kernel=${runtime === undefined ? '' : KERNEL}`,
    '',
  ].join('\n');
  const files: TarFile[] = [
    { path: 'about', mode: 0o644, content: Buffer.from(about) },
    { path: 'agent.tar', mode: 0o644, content: agent },
    { path: 'install.sh', mode: 0o755, content: install },
    ...(runtime === undefined ? [] : [{ path: 'node', mode: 0o755, content: runtime.content }]),
    ...(runtime?.license === undefined
      ? []
      : [{ path: 'node.LICENSE', mode: 0o644, content: Buffer.from(runtime.license) }]),
    ...site,
  ];
  const digest = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');
  const sums = files.map(({ path, content }) => `${digest(content)}  ${path}\n`).join('');
  const all = [...files, { path: 'SHA256SUMS', mode: 0o644, content: Buffer.from(sums) }];
  return { name, tar: makeTar(withFolders(all.map((file) => ({ ...file, path: `${name}/${file.path}` }))), at) };
}
