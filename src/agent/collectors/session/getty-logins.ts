import type { HostAccess } from '../../collector.ts';
import { dropIns } from '../drop-ins.ts';
import { namesIn, textOf } from '../lenient.ts';
import type { AutoLogin } from './auto-login.ts';

/** The most important first (systemd.unit(5)). */
const FOLDERS = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
];
/** Consoles: `getty@tty1.service`, `serial-getty@.service.d`, `autovt@…`, `console-getty.service`, `container-getty@…` */
const UNIT = /^((?:serial-|container-)?getty@[^.]*|autovt@[^.]*|console-getty)\.service(?:\.d)?$/;

/** Text consoles on which agetty lets somebody in (`--autologin`), by units of the administrator's and drop-ins. */
export async function gettyLogins(host: HostAccess): Promise<AutoLogin[]> {
  const names = (await Promise.all(FOLDERS.map((folder) => namesIn(host, folder)))).flatMap((list) => list ?? []);
  const units = [...new Set(names.flatMap((name) => UNIT.exec(name)?.[1] ?? []))].sort();
  const logins = await Promise.all(
    units.map(async (unit) => {
      const user = autologinOf(await readUnit(host, unit));
      return user === undefined ? [] : [{ by: unit, user }];
    }),
  );
  return logins.flat();
}

/** The unit's own file, of its own or of its template, and the drop-ins of both. */
async function readUnit(host: HostAccess, unit: string): Promise<string[]> {
  const template = unit.replace(/@.*/, '@');
  const names = unit === template ? [unit] : [unit, template];
  const paths = names.flatMap((name) => FOLDERS.map((folder) => `${folder}/${name}.service`));
  const main = (await Promise.all(paths.map((path) => textOf(host, path)))).find((text) => text !== undefined);
  const folders = names.flatMap((name) => FOLDERS.map((folder) => `${folder}/${name}.service.d`));
  return [...(main === undefined ? [] : [main]), ...(await dropIns(host, folders))];
}

/** Of the command that counts: an empty `ExecStart=` takes back those before it. @param texts in the order in which they are read */
export function autologinOf(texts: readonly string[]): string | undefined {
  let command = '';
  for (const text of texts) {
    for (const [, value = ''] of text.replace(/\\\n/g, ' ').matchAll(/^[ \t]*ExecStart[ \t]*=(.*)$/gm)) command = value;
  }
  const user = /\s(?:--autologin(?:\s+|=)|-a\s*)(["']?)([^\s"']+)\1/.exec(command)?.[2];
  return user;
}
