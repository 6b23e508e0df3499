/**
 * What a built-in collector is, and all of the host that it may touch.
 *
 * Terms:
 * - *unknown*: the JSON string `'unknown'`, where a collector cannot tell. Honest beats guessed;
 * - *flapping*: answers that differ while nothing changed. Sort lists, leave out counters and clocks.
 */
import type { NetworkInterfaceInfo } from 'node:os';
import type { Milliseconds } from '../core/duration.ts';
import type { AgentSettings } from '../settings/agent-settings.ts';

/** What a collector says where it cannot tell. */
export const UNKNOWN = 'unknown';

export interface Collector {
  /** reported as `plugins.NAME`: lower case, digits and `_` */
  readonly name: string;
  /** one line for `collectors list` */
  readonly describe: string;
  /** after which it counts as failed, and the commands that it runs are killed */
  readonly timeout: Milliseconds;
  /** runs only where the settings ask for it: by name (`collectors.enabled`), or by what is said of it */
  readonly optIn?: true | ((settings: AgentSettings['collectors']) => boolean);
  /**
   * Looks at the host. Must be asynchronous all the way: one that blocks the event loop blocks all others.
   * @returns a JSON value
   * @throws anything: it is then reported as failed, with the message as `stderr`
   */
  collect(host: HostAccess, tools: CollectorTools): Promise<unknown>;
}

export type Intervals = Pick<AgentSettings, 'collect_interval' | 'submit_interval'>;

/** What a collector has beside the host. */
export interface CollectorTools {
  readonly settings: AgentSettings['collectors'];
  /** how often this agent collects and submits */
  readonly intervals: Intervals;
  /** of this agent */
  readonly version: string;
  /** What this collector kept under the key, in this run or an earlier one. @returns undefined where there is nothing that can be read */
  recall(key: string): Promise<Kept | undefined>;
  /**
   * Keeps a JSON value for the runs to come, in a file that is root's alone; nothing is kept while one only looks (`collect --show`).
   * @param key letters, digits, `-` and `_`
   */
  keep(key: string, value: unknown): Promise<void>;
  /**
   * A secret that the settings name by its file; a credential of that name goes before it.
   * @returns undefined where there is neither
   * @throws where it may not be read, or where others may read it too
   */
  secret(credential: string, file: string | undefined): Promise<string | undefined>;
  /**
   * What was asked outside beforehand, where a user of its own does that. It is not trusted: look at the value before you tell it.
   * @returns why there is none, where there is none; undefined where this process has to ask by itself
   */
  left(fact: OutsideName): Promise<Left | undefined>;
}

/** What only others can tell. */
export type OutsideName = 'geolocation' | 'ip_addresses' | 'package_lists';

export type Left = { at: Date; value: unknown } | { reason: string };

export interface Kept {
  at: Date;
  value: unknown;
}

/** The host as collectors see it: tests pass a folder or a script of their own instead. */
export interface HostAccess {
  /**
   * A file as UTF-8 text (what is not UTF-8 becomes U+FFFD).
   * @param options.max bytes; 1 MiB where absent
   * @param options.head what lies past `max` is not looked at, instead of being too much
   * @param options.of user id of whoever chose the path or may put links there: only a file of theirs, or of root's that all may read. Always
   *   given where a user has a say in it
   * @returns undefined where there is none
   * @throws where it may not be read, is no regular file, or holds more than `max`
   */
  readText(path: string, options?: ReadOptions): Promise<string | undefined>;
  /**
   * Names in a folder, sorted.
   * @param options.max the first so many that the file system names, which of /proc's are those with the lowest numbers; all where absent
   * @returns undefined where there is no such folder
   * @throws where it may not be read
   */
  list(path: string, options?: { max?: number }): Promise<string[] | undefined>;
  /** Follows symbolic links. @returns undefined where there is nothing @throws where it may not be seen */
  stat(path: string): Promise<FileFacts | undefined>;
  /** @returns the target as written, undefined where there is no symbolic link @throws where it may not be seen */
  readLink(path: string): Promise<string | undefined>;
  /**
   * Absolute path of a program in the system's own folders (/usr/sbin, /usr/bin, /sbin, /bin; never PATH).
   * @returns undefined where none of them holds it
   */
  find(program: string): Promise<string | undefined>;
  /**
   * Runs a program without a shell, with nothing on its standard input and an environment of our own (LC_ALL=C).
   * The whole process group is killed at the time limit and when the collector's own time is up.
   * Never rejects for what the program does: look at `problem` and `code`.
   * @param path absolute
   */
  run(path: string, args: readonly string[], options?: RunOptions): Promise<CommandResult>;
  /**
   * Asks a server for what only it can tell. Nobody but a collector whose server the settings name may do so.
   * @throws where there is no whole answer, with a reason that does not repeat what was asked
   */
  ask(question: Question): Promise<WebAnswer>;
  networkInterfaces(): Record<string, NetworkInterfaceInfo[] | undefined>;
  /** release of the running kernel, as `uname -r` */
  release(): string;
  /** effective user id 0 */
  readonly isRoot: boolean;
  now(): Date;
}

export interface ReadOptions {
  max?: number;
  head?: true;
  of?: number;
}

export interface FileFacts {
  /** the same for all names of one file, and no other's while it is there */
  id: string;
  kind: 'file' | 'directory' | 'other';
  size: number;
  /** permission bits */
  mode: number;
  uid: number;
  modified: Date;
  /** of contents or attributes (ctime): apt moves it, and nothing else, when a source has nothing new */
  changed: Date;
}

export interface RunOptions {
  /** 1 minute where absent */
  timeout?: Milliseconds;
  /** bytes of standard output kept, and again of standard error; past it the program is killed; 1 MiB where absent */
  maxOutput?: number;
  /** in addition to PATH, LC_ALL, LANG and HOME */
  env?: Readonly<Record<string, string>>;
  /** as this user, without further groups; takes root */
  as?: { uid: number; gid: number };
}

export interface Question {
  url: URL;
  /** version of IP; either where absent */
  family?: 4 | 6;
  /** JSON that is posted; a GET where absent */
  body?: unknown;
  /** file of certificates (PEM) to trust instead of the usual ones */
  ca?: string;
  timeout: Milliseconds;
}

export interface WebAnswer {
  status: number;
  /** UTF-8, 64 KiB at most */
  text: string;
}

export interface CommandResult {
  /** exit status; null where there is none, and then `problem` is set */
  code: number | null;
  /** `missing`: no such program; `denied`: it may not be run; `killed`: a signal that we did not send */
  problem?: 'missing' | 'denied' | 'timed-out' | 'too-much-output' | 'killed';
  stdout: string;
  stderr: string;
}
