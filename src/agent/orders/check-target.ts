import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { ORDER_PATH } from '../../wire/v2/order.ts';
import { hasCode } from '../has-code.ts';
import type { Places } from '../places.ts';

/** An order that asks for what no order may do here: nothing of it is done. */
export class OrderRefused extends Error {
  override readonly name = 'OrderRefused';
}

const OTHERS_WRITE = 0o022;

/**
 * Says no to a path that an order may not write to, whoever signed it: anything but a name in a folder of site/, anything that is there and no plain
 * file, and any folder on the way that is not the agent's own or that others may write to. @returns its absolute path
 * @throws OrderRefused
 */
export async function checkTarget(
  { state, site }: Pick<Places, 'state' | 'site'>,
  uid: number,
  path: string,
): Promise<string> {
  const refuse = (why: string) => new OrderRefused(`cannot write ${JSON.stringify(path)}: ${why}`);
  if (path.startsWith('/')) throw refuse('it is an absolute path');
  if (path.split('/').some((name) => name === '..' || name === '.')) throw refuse('it leads out of its folder');
  if (!ORDER_PATH.test(path)) {
    throw refuse('orders may write to plugins/, settings/ and commands/ below the site folder, and nowhere else');
  }
  const [folder = ''] = path.split('/');
  for (const parent of [state, site.root, join(site.root, folder)]) {
    const problem = await distrust(parent, uid);
    if (problem !== undefined) throw refuse(`${parent} ${problem}`);
  }
  const target = join(site.root, path);
  const facts = await factsOf(target);
  if (facts?.isSymbolicLink()) throw refuse('a symbolic link stands there');
  if (facts !== undefined && !facts.isFile()) throw refuse('something that is no file stands there');
  return target;
}

async function distrust(folder: string, uid: number): Promise<string | undefined> {
  const facts = await factsOf(folder);
  if (facts === undefined) return 'is missing';
  if (facts.isSymbolicLink()) return 'is a symbolic link';
  if (!facts.isDirectory()) return 'is no folder';
  if (facts.uid !== uid && facts.uid !== 0) return `belongs to user ${facts.uid}`;
  return (facts.mode & OTHERS_WRITE) === 0 ? undefined : 'may be written to by others';
}

async function factsOf(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
