import type { Operator } from '../store/operator-log/entry.ts';

/** One line for hosts and their users: who logged in, or became root by sudo, and as whom the command ran. */
export function nameOperator({ uid, user, login, sudo }: Operator): string {
  const as = user ?? `uid ${uid}`;
  const who = login?.user ?? sudo ?? (login === undefined ? undefined : `uid ${login.uid}`);
  return (who === undefined || who === as ? as : `${who} as ${as}`).replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
}
