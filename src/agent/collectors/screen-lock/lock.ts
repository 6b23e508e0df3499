import type { HostAccess } from '../../collector.ts';
import type { Process } from './processes.ts';

/** What becomes of a session that nobody touches. */
export type Lock =
  | {
      locks: true;
      /** seconds until a password is asked for */
      delay: number;
    }
  | { locks: false; why: string }
  | { locks: 'unknown'; why: string };

export const locksAfter = (delay: number): Lock => ({ locks: true, delay });
export const never = (why: string): Lock => ({ locks: false, why });
export const cannotTell = (why: string): Lock => ({ locks: 'unknown', why });

/** Somebody who is logged in with a screen. */
export interface GraphicalUser {
  user: string;
  uid: number;
  gid: number;
  home: string;
  /** of the sessions, by our names (name-desktop.ts); `other` for what we do not know */
  desktops: readonly string[];
  /** of a program of the session, those that say where its settings are */
  env: Readonly<Record<string, string>>;
  /** the user's, in the order of their numbers */
  processes: readonly Process[];
}

/** How one desktop locks. Both may throw: what they would say is then unknown, with the message as its reason. */
export interface Locker {
  look(host: HostAccess, user: GraphicalUser): Promise<Lock>;
  /** false where the administrator has fixed all settings that decide */
  userCanChange(host: HostAccess, user: GraphicalUser): Promise<boolean>;
}

const RANK = { false: 0, unknown: 1, true: 2 } as const;

/** Of several sessions of one user: the one in which the screen stays open longest. */
export function worst(locks: readonly Lock[]): Lock | undefined {
  return [...locks].sort((a, b) => rank(a) - rank(b) || delayOf(b) - delayOf(a))[0];
}

/** Of several lockers in one session: the one that comes first. */
export function first(locks: readonly Lock[]): Lock | undefined {
  return [...locks].sort((a, b) => rank(b) - rank(a) || delayOf(a) - delayOf(b))[0];
}

function rank({ locks }: Lock): number {
  return RANK[`${locks}`];
}

function delayOf(lock: Lock): number {
  return lock.locks === true ? lock.delay : 0;
}
