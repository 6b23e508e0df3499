import type { Audit } from '../core/audit.ts';
import type { Judge } from '../core/check.ts';
import type { CheckBook } from '../core/check-book.ts';
import type { Delivery } from '../core/delivery.ts';
import type { Clock, Random } from '../core/world.ts';
import type { ServerSettings, StoreSettings } from '../settings/server-settings.ts';
import type { Store } from '../store/port.ts';

/** What a command of `penguindome` works with. bin/penguindome.ts builds it; nothing is opened before a command asks. */
export interface AdminContext {
  /** of `--config`; reads and checks the file at the first call */
  settings(): Promise<ServerSettings>;
  /** absolute path of the settings file */
  settingsFile(): string;
  /** opened at the first call, closed when the command ends */
  store(): Promise<Store>;
  /** another one, with its password from where these settings name it; closed when the command ends */
  openStore(wanted: StoreSettings): Promise<Store>;
  /** the checks of settings and product (audit/judge.ts) */
  judge(): Promise<Judge>;
  /** the audit over this store and settings (audit/open-audit.ts) */
  audit(): Promise<Audit>;
  /** the checks of settings and product, to be looked at and tried (audit/open-check-book.ts) */
  checks(): Promise<CheckBook>;
  /** delivery over this store and settings (delivery/open-delivery.ts) */
  delivery(): Promise<Delivery>;
  /** for the operator log: the hosts that the command acts on, by their stored names; said before it acts, as often as it likes */
  concerns(hostnames: Iterable<string>): void;
  /** who runs the command, as orders tell it to hosts: `ann`, or `ann as root` */
  operator(): Promise<string>;
  clock: Clock;
  random: Random;
  output: Output;
  /** bytes, for commands whose FILE may be `-`; all else goes through `output` */
  stdin: NodeJS.ReadableStream;
  stdout: NodeJS.WritableStream;
  signal: AbortSignal;
}

export interface Output {
  /** with `--json`: commands call `json` once, and nothing else */
  readonly wantsJson: boolean;
  /** columns of the terminal; Infinity where standard output is none */
  readonly width: number;
  /** whether somebody sits at it: standard error is a terminal, wherever standard output goes */
  readonly attended: boolean;
  /** whether colours may be used (a terminal, and no NO_COLOR) */
  readonly colors: boolean;
  /** a line on standard output */
  line(text?: string): void;
  /** rows under headings, fitted to the width: the widest column that may shrink does */
  table(headings: string[], rows: string[][]): void;
  json(value: unknown): void;
  /** a line on standard error: progress and remarks, never data */
  note(text: string): void;
  /** asks on the terminal; rejects with OperatorError where there is none (naming the flag to use) */
  ask(question: string, options: { flag: string; default?: string; secret?: boolean }): Promise<string>;
}
