import type { HostAccess } from '../../collector.ts';
import { textOf } from '../lenient.ts';
import { type GraphicalUser, type Lock, type Locker, locksAfter, never } from './lock.ts';
import { parseXfconfLocks } from './parse-xfconf-locks.ts';
import { named } from './processes.ts';
import { runAs } from './run-as.ts';
import { x11 } from './x11.ts';

const MINUTE = 60;
const CHANNEL = 'xfce4-screensaver';
const POWER = 'xfce4-power-manager';
/** An administrator's files of channels. */
const SYSTEM_FILES = '/etc/xdg/xfce4/xfconf/xfce-perchannel-xml';
const PRESENTATION = `/${POWER}/presentation-mode`;
const SWITCHES = [
  '/saver/enabled',
  '/saver/idle-activation/enabled',
  '/lock/enabled',
  '/lock/saver-activation/enabled',
];
const IDLE_DELAY = '/saver/idle-activation/delay';
const LOCK_DELAY = '/lock/saver-activation/delay';
/** What decides about the lock, by channel. */
const DECIDING = { [CHANNEL]: [...SWITCHES, IDLE_DELAY, LOCK_DELAY], [POWER]: [PRESENTATION] };

/** xfce4-screensaver where it runs; people have light-locker or xscreensaver in its place. */
export const xfce: Locker = {
  look: async (host, user) => {
    if (named(user.processes, CHANNEL) !== undefined) return lookAtXfce(host, user);
    const other = await x11.look(host, user);
    return other.locks === false ? never(`${CHANNEL} does not run; ${other.why}`) : other;
  },
  userCanChange: async (host, user) => {
    if (named(user.processes, CHANNEL) === undefined) return true;
    const fixed = await Promise.all(Object.entries(DECIDING).map((each) => isFixed(host, user, ...each)));
    return fixed.includes(false);
  },
};

async function lookAtXfce(host: HostAccess, user: GraphicalUser): Promise<Lock> {
  const power = await readChannel(host, user, POWER);
  if (power.get(PRESENTATION) === 'true') return never('presentation mode is on');
  return judge(await readChannel(host, user, CHANNEL));
}

async function isFixed(host: HostAccess, { user }: GraphicalUser, channel: string, keys: readonly string[]) {
  const locks = parseXfconfLocks((await textOf(host, `${SYSTEM_FILES}/${channel}.xml`)) ?? '', user);
  return locks.channel || keys.every((key) => locks.properties.has(key));
}

/** The values that count where nothing is written are those of xfce4-screensaver's gs-prefs.h; delays are minutes. */
export function judge(values: ReadonlyMap<string, string>): Lock {
  const isOn = (key: string) => values.get(key) !== 'false';
  for (const key of SWITCHES) {
    if (!isOn(key)) return never(`${key} is false`);
  }
  const idle = number(values.get(IDLE_DELAY)) ?? 5;
  const lock = number(values.get(LOCK_DELAY)) ?? 0;
  // It takes 10 for what is below 1.
  return locksAfter(((idle < 1 ? 10 : idle) + Math.max(0, lock)) * MINUTE);
}

function number(value: string | undefined): number | undefined {
  return /^-?\d+$/.test(value ?? '') ? Number(value) : undefined;
}

async function readChannel(host: HostAccess, user: GraphicalUser, channel: string): Promise<Map<string, string>> {
  const { code, stdout, stderr } = await runAs(host, user, 'xfconf-query', ['-c', channel, '-l', '-v']);
  if (code === 0) return parseChannel(stdout);
  throw new Error(`xfconf-query failed: ${stderr.trim().slice(0, 200)}`);
}

/** `xfconf-query -l -v`: a property and its value a line, or a sentence where nobody ever changed anything. */
export function parseChannel(output: string): Map<string, string> {
  const lines = output.split('\n').map((line) => /^(\/\S+)\s(.*)$/.exec(line.trimEnd()));
  return new Map(lines.flatMap((match) => (match?.[2] ? [[match[1] ?? '', match[2].trimStart()]] : [])));
}
