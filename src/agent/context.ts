import type { Clock, Random } from '../core/world.ts';
import type { Collector } from './collector.ts';

/** What the commands of penguindome-agent get from the process that they run in. bin/penguindome-agent.ts builds it. */
export interface AgentContext {
  clock: Clock;
  random: Random;
  /** of this program */
  version: string;
  /** effective user id */
  uid: number;
  home: string;
  /** $CREDENTIALS_DIRECTORY, where systemd gave one */
  credentials?: string | undefined;
  /** the machine's own name */
  hostname: string;
  /** of the process: what a plugin was given comes back to its tool there */
  environment: Readonly<Record<string, string | undefined>>;
  /** absolute paths of what plugins call, of this program, and of the Node that runs them */
  program: { pluginTool: string; agent: string; node: string };
  /** loaded when something is to be collected: most runs only submit */
  collectors(): Promise<readonly Collector[]>;
  /** ends what is under way */
  signal: AbortSignal;
  /** standard input up to its end, or its first `max` bytes */
  readInput(max: number): Promise<string>;
  /** whether somebody types there */
  inputIsTerminal: boolean;
  /** text to standard output */
  write(text: string): void;
  /** text to standard error */
  writeError(text: string): void;
}

/** How a command speaks: lines for people or, with `--json`, one JSON value on standard output. */
export interface Output {
  readonly wantsJson: boolean;
  line(text?: string): void;
  json(value: unknown): void;
  /** on standard error: progress and remarks, never data */
  note(text: string): void;
}

export function outputOf(
  { write, writeError }: Pick<AgentContext, 'write' | 'writeError'>,
  wantsJson: boolean,
): Output {
  return {
    wantsJson,
    line: (text = '') => {
      if (!wantsJson) write(`${printable(text)}\n`);
    },
    json: (value) => {
      if (wantsJson) write(jsonText(value));
    },
    note: (text) => writeError(`${printable(text)}\n`),
  };
}

/** JSON as it is printed: what terminals take for commands is escaped. */
export function jsonText(value: unknown): string {
  const escaped = (character: string) => `\\u00${character.charCodeAt(0).toString(16)}`;
  return `${JSON.stringify(value, null, 2).replace(/[\u007f-\u009f]/g, escaped)}\n`;
}

/** What servers and plugins say may be shown, but must not steer a terminal. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, ' ');
}
