import type { HostAccess } from '../../collector.ts';
import { type GraphicalUser, type Lock, type Locker, locksAfter, never } from './lock.ts';
import { runAs } from './run-as.ts';

/** The schemas of one desktop that decide about the lock; all descend from GNOME 2. */
export interface Schemas {
  /** with `lock-enabled` and `lock-delay` */
  screensaver: string;
  /** with `idle-delay` */
  session: string;
  /** with `disable-lock-screen` */
  lockdown: string;
  /** what a delay is counted in, in seconds */
  unit: { lock: number; idle: number };
  /** whether `idle-activation-enabled` still counts (GNOME ignores it) */
  idleActivation: boolean;
}

/** Keys by each of which a person can keep the screen open: all that `look` asks. */
function deciding(schemas: Schemas): (readonly [schema: string, key: string])[] {
  return [
    [schemas.screensaver, 'lock-enabled'],
    [schemas.screensaver, 'lock-delay'],
    [schemas.session, 'idle-delay'],
    [schemas.lockdown, 'disable-lock-screen'],
    ...(schemas.idleActivation ? [[schemas.screensaver, 'idle-activation-enabled'] as const] : []),
  ];
}

export function lockerBySettings(schemas: Schemas): Locker {
  return {
    look: (host, user) => look(host, user, schemas),
    userCanChange: async (host, user) => {
      const answers = await Promise.all(
        deciding(schemas).map(([schema, key]) => runAs(host, user, 'gsettings', ['writable', schema, key])),
      );
      const said = answers.filter(({ code }) => code === 0).map(({ stdout }) => stdout.trim());
      if (said.length === 0) throw new Error(`there are no settings ${schemas.screensaver}`);
      return said.includes('true');
    },
  };
}

async function look(host: HostAccess, user: GraphicalUser, schemas: Schemas): Promise<Lock> {
  const [screensaver, session, lockdown] = await Promise.all([
    readSchema(host, user, schemas.screensaver),
    readSchema(host, user, schemas.session),
    readSchema(host, user, schemas.lockdown),
  ]);
  if (lockdown?.get('disable-lock-screen') === 'true') return never('locking is forbidden (disable-lock-screen)');
  const enabled = screensaver?.get('lock-enabled');
  if (enabled === 'false') return never('lock-enabled is false');
  if (schemas.idleActivation && screensaver?.get('idle-activation-enabled') === 'false') {
    return never('idle-activation-enabled is false');
  }
  const lockDelay = parseNumber(screensaver?.get('lock-delay'));
  const idleDelay = parseNumber(session?.get('idle-delay'));
  if (enabled !== 'true' || lockDelay === undefined || idleDelay === undefined) {
    throw new Error(`there are no settings ${schemas.screensaver} and ${schemas.session}`);
  }
  // Never, not at once.
  if (idleDelay <= 0) return never('idle-delay is 0: the session is never idle');
  return locksAfter(idleDelay * schemas.unit.idle + lockDelay * schemas.unit.lock);
}

/** @returns undefined where there is no such schema */
export async function readSchema(
  host: HostAccess,
  user: GraphicalUser,
  schema: string,
): Promise<Map<string, string> | undefined> {
  const { code, stdout, stderr } = await runAs(host, user, 'gsettings', ['list-recursively', schema]);
  // Without dconf's module programs have settings of their own, in memory, and so has this one.
  if (/memory.*backend/i.test(stderr.slice(0, 1000))) throw new Error("gsettings has no access to the user's settings");
  if (code === 0) return parseSchema(stdout, schema);
  if (/no such schema/i.test(stderr)) return undefined;
  throw new Error(`gsettings failed: ${stderr.trim().slice(0, 200)}`);
}

/** `gsettings list-recursively SCHEMA`: `SCHEMA KEY VALUE` a line; values as GVariant text. */
export function parseSchema(output: string, schema: string): Map<string, string> {
  const lines = output.split('\n').map((line) => /^(\S+) (\S+) (.+)$/.exec(line));
  return new Map(lines.flatMap((match) => (match?.[1] === schema ? [[match[2] ?? '', match[3] ?? '']] : [])));
}

/** `uint32 300` or `5` */
export function parseNumber(value: string | undefined): number | undefined {
  const digits = /^(?:u?int\d+ )?(-?\d+)$/.exec(value ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}
