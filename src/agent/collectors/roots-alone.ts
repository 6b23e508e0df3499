import type { HostAccess } from '../collector.ts';
import { factsOf, linkAt } from './lenient.ts';

const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;
/** The kernel's own limit of links on the way (path_resolution(7)). */
const MOST_LINKS = 40;

/**
 * Is it a file that nobody but root can change, or replace by another one? It and each folder on its way, that of a link's target too, is
 * root's, and nobody else may write there; in a sticky one (/tmp) nobody else may replace what is root's.
 * @param path absolute, without `.` and `..`
 */
export async function isRootsAlone(host: HostAccess, path: string): Promise<boolean> {
  let links = 0;
  let rest = path.split('/').slice(1);
  let at = '';
  if (!path.startsWith('/') || !(await isSafe(host, '/'))) return false;
  while (rest.length > 0) {
    const [name = '', ...further] = rest;
    if (name === '' || name === '.' || name === '..') return false;
    const target = await linkAt(host, `${at}/${name}`);
    if (target === undefined) {
      at = `${at}/${name}`;
      rest = further;
      if (!(await isSafe(host, at))) return false;
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) return false;
    // A link has no permissions: who may write to its folder may replace it, and in a sticky folder who owns it.
    if (await isSticky(host, at === '' ? '/' : at)) return false;
    rest = [...target.replace(/^\//, '').split('/'), ...further];
    if (target.startsWith('/')) at = '';
  }
  return (await factsOf(host, at))?.kind === 'file';
}

async function isSafe(host: HostAccess, path: string): Promise<boolean> {
  const facts = await factsOf(host, path);
  if (facts === undefined || facts.uid !== 0) return false;
  return (facts.mode & OTHERS_WRITE) === 0 || (facts.kind === 'directory' && (facts.mode & STICKY) !== 0);
}

async function isSticky(host: HostAccess, folder: string): Promise<boolean> {
  return (((await factsOf(host, folder))?.mode ?? STICKY) & STICKY) !== 0;
}
