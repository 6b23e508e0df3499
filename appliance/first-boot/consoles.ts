import { constants, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { ReadStream, WriteStream } from 'node:tty';

/** All consoles of the machine as one: each shows everything, and the first that answers counts. */
export interface Consoles {
  say(line: string): void;
  ask(question: string): Promise<string>;
  close(): void;
}

/** The screen with its keyboard, and the serial line: who sits where nobody can know. */
export function openConsoles(paths: readonly string[] = ['/dev/tty1', '/dev/ttyS0']): Consoles {
  const waiting: ((line: string) => void)[] = [];
  const opened = paths.flatMap((path) => open(path));
  for (const { input } of opened) {
    createInterface({ input }).on('line', (line) => waiting.shift()?.(line.trim()));
  }
  const write = (text: string) => {
    for (const { output } of opened) output.write(text);
  };
  return {
    say: (line) => write(`${line.replaceAll('\n', '\r\n')}\r\n`),
    ask(question) {
      write(`${question} `);
      return new Promise((resolve) => waiting.push(resolve));
    },
    close() {
      for (const { input, output } of opened) {
        input.destroy();
        output.destroy();
      }
    },
  };
}

/** A machine has not each of them, though the device may be there: one that is no terminal is left out. */
function open(path: string): { input: ReadStream; output: WriteStream }[] {
  try {
    const opened = () => openSync(path, constants.O_RDWR | constants.O_NOCTTY);
    const input = new ReadStream(opened());
    const output = new WriteStream(opened());
    for (const stream of [input, output]) stream.on('error', () => undefined);
    return [{ input, output }];
  } catch {
    return [];
  }
}
