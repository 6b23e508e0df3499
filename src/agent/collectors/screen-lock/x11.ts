import type { HostAccess } from '../../collector.ts';
import { parseNumber, readSchema } from './gsettings.ts';
import { cannotTell, first, type GraphicalUser, type Lock, type Locker, locksAfter, never } from './lock.ts';
import { argumentsOf, named, type Process } from './processes.ts';
import { runAs } from './run-as.ts';
import { usersFile } from './users-file.ts';
import { whatCommandDoes } from './what-command-does.ts';

const MINUTE = 60;

type Look = (host: HostAccess, user: GraphicalUser, process: Process) => Promise<Lock>;

/** Programs that lock an X display by themselves, or when the X server says that nobody is there. */
const LOCKERS: Readonly<Record<string, Look>> = {
  'light-locker': lookAtLightLocker,
  xautolock: lookAtXautolock,
  xscreensaver: lookAtXscreensaver,
  'xss-lock': lookAtXssLock,
};

/** i3, and whatever else has no locker of its own: what the user has started. */
export const x11: Locker = {
  look: async (host, user) => {
    if (!host.isRoot) throw new Error('only root can look into the session of somebody else');
    const locks: Lock[] = [];
    for (const [program, look] of Object.entries(LOCKERS)) {
      const process = named(user.processes, program);
      if (process !== undefined) locks.push(await look(host, user, process));
    }
    return first(locks) ?? never(`none of ${Object.keys(LOCKERS).join(', ')} runs`);
  },
  userCanChange: async () => true,
};

/** xautolock(1): `-time` in minutes, 10 where it is not given, and xlock where no locker is. */
async function lookAtXautolock(host: HostAccess, _user: GraphicalUser, process: Process): Promise<Lock> {
  const args = await argumentsOf(host, process);
  const minutes = Number(optionOf(args, '-time') ?? '10');
  const doubt = doubtOf('xautolock', optionOf(args, '-locker') ?? 'xlock');
  if (doubt !== undefined) return doubt;
  return Number.isInteger(minutes) && minutes > 0
    ? locksAfter(minutes * MINUTE)
    : cannotTell('xautolock was given no time');
}

/** xss-lock(1): with a notifier the locker comes a cycle later. */
async function lookAtXssLock(host: HostAccess, user: GraphicalUser, process: Process): Promise<Lock> {
  const { command, notifies } = parseXssLock((await argumentsOf(host, process)).slice(1));
  const doubt = doubtOf('xss-lock', command);
  if (doubt !== undefined) return doubt;
  const saver = await readXset(host, user);
  if (saver.timeout === 0) return never("xss-lock runs, and the X server's screen saver is off");
  return locksAfter(saver.timeout + (notifies ? saver.cycle : 0));
}

/** GLib takes options out from among the words of the locker too, up to a `--`; what is left is the locker. */
function parseXssLock(args: readonly string[]): { command: string; notifies: boolean } {
  const words: string[] = [];
  let notifies = false;
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    if (arg === '--') {
      words.push(...args.slice(at + 1));
      break;
    }
    if (!arg.startsWith('-')) words.push(arg);
    if (/^(-[lqv]*n|--notifier(=.*)?)$/s.test(arg)) notifies = true;
    // What follows is the option's own.
    if (/^(-[lqv]*[ns]|--notifier|--session)$/.test(arg)) at += 1;
  }
  return { command: words.join(' '), notifies };
}

/** @returns undefined where the command locks */
function doubtOf(daemon: string, command: string): Lock | undefined {
  const deed = whatCommandDoes(command);
  if (deed === 'unclear' || deed === 'asks') return cannotTell(`${daemon} runs a command that we do not know`);
  return deed === 'locks' ? undefined : never(`what ${daemon} runs does not lock`);
}

/** light-locker(1): so many seconds after the X server's screen saver; 0 is never. */
async function lookAtLightLocker(host: HostAccess, user: GraphicalUser, process: Process): Promise<Lock> {
  const saver = await readXset(host, user);
  if (saver.timeout === 0) return never("light-locker runs, and the X server's screen saver is off");
  const args = await argumentsOf(host, process);
  const given = parseNumber(optionOf(args, '--lock-after-screensaver'));
  const after =
    given ?? parseNumber((await readSchema(host, user, 'apps.light-locker'))?.get('lock-after-screensaver'));
  if (after === undefined) return cannotTell('light-locker has no settings');
  return after === 0
    ? never('light-locker was told not to lock after the screen saver')
    : locksAfter(saver.timeout + after);
}

/** ~/.xscreensaver, and what stands for it where somebody never chose anything. */
async function lookAtXscreensaver(host: HostAccess, user: GraphicalUser): Promise<Lock> {
  const text =
    (await usersFile(host, user, `${user.home}/.xscreensaver`)) ??
    (await host.readText('/etc/X11/app-defaults/XScreenSaver')) ??
    (await host.readText('/usr/share/X11/app-defaults/XScreenSaver'));
  if (text === undefined) return cannotTell('xscreensaver runs, and its settings are not found');
  const of = (key: string) => new RegExp(`^[ \\t*]*${key}:[ \\t]*(\\S+)`, 'm').exec(text)?.[1]?.toLowerCase();
  if (of('mode') === 'off') return never('xscreensaver is switched off');
  if (!['true', 'yes', 'on', '1'].includes(of('lock') ?? 'false')) return never('xscreensaver does not lock');
  return locksAfter((parseClock(of('timeout')) ?? 10 * MINUTE) + (parseClock(of('lockTimeout')) ?? 0));
}

/** `0:10:00` → 600 */
function parseClock(text: string | undefined): number | undefined {
  const match = /^(\d+):(\d+):(\d+)$/.exec(text ?? '');
  return match === null ? undefined : Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3]);
}

function optionOf(args: readonly string[], name: string): string | undefined {
  const at = args.indexOf(name);
  return at === -1 ? args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1) : args[at + 1];
}

async function readXset(host: HostAccess, user: GraphicalUser): Promise<{ timeout: number; cycle: number }> {
  if (user.env['DISPLAY'] === undefined) throw new Error('the X display of the session is not known');
  const { code, stdout } = await runAs(host, user, 'xset', ['q']);
  const saver = parseXset(stdout);
  if (code !== 0 || saver === undefined) throw new Error('cannot ask the X server for its screen saver');
  return saver;
}

/** `xset q`: `  timeout:  600    cycle:  600` below `Screen Saver:`; a timeout of 0 is off. */
export function parseXset(output: string): { timeout: number; cycle: number } | undefined {
  const match = /^Screen Saver:\s*\n(?:[ \t].*\n)*?[ \t]+timeout:\s+(\d+)\s+cycle:\s+(\d+)/m.exec(output);
  return match === null ? undefined : { timeout: Number(match[1]), cycle: Number(match[2]) };
}
