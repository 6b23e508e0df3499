import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { OperatorError } from '../core/errors.ts';
import type { Output } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { formatTable } from './format-table.ts';
import { harmless } from './harmless.ts';
import { splitColors } from './text-width.ts';

/** The three streams of a program; bin/ hands over the process's own. */
export interface Streams {
  stdin: NodeJS.ReadableStream & { isTTY?: boolean };
  stdout: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  stderr: NodeJS.WritableStream & { isTTY?: boolean };
}

/** @param options.wantsJson asked when it matters: the command line may not have been read yet */
export function makeOutput(
  { stdin, stdout, stderr }: Streams,
  options: { wantsJson: () => boolean; noColor: boolean; signal: AbortSignal },
): Output {
  const colors = stdout.isTTY === true && !options.noColor;
  const heading = (text: string) => (colors ? `\u001b[1m${text}\u001b[0m` : text);
  const output: Output = {
    get wantsJson() {
      return options.wantsJson();
    },
    get width() {
      return stdout.isTTY === true ? (stdout.columns ?? 80) : Number.POSITIVE_INFINITY;
    },
    attended: stderr.isTTY === true,
    colors,
    // As bytes: text that is not all Latin takes twice the room while it waits for its reader.
    line: (text = '') => void stdout.write(Buffer.from(`${harmlessLines(text, colors)}\n`)),
    table(headings, rows) {
      for (const line of formatTable(headings, rows, { width: output.width, heading, colors }))
        stdout.write(`${line}\n`);
    },
    json: (value) => void stdout.write(`${harmlessJson(value)}\n`),
    note: (text) => void stderr.write(`${harmlessLines(text, false)}\n`),
    async ask(question, { flag, default: preset, secret }) {
      if (stdin.isTTY !== true || stderr.isTTY !== true) {
        throw new OperatorError(`cannot ask "${question}" without a terminal: use ${flag}`, { exitCode: EXIT.usage });
      }
      const prompt = preset === undefined || preset === '' ? `${question} ` : `${question} [${preset}] `;
      const answer = await readAnswer({ stdin, stderr }, prompt, secret === true, options.signal);
      return answer === '' && preset !== undefined ? preset : answer;
    },
  };
  return output;
}

/** Lines stay lines and our few colours stay colours; every other control character is shown instead of sent. */
function harmlessLines(text: string, colors: boolean): string {
  return splitColors(text)
    .map((part, index) => (index % 2 === 1 ? (colors ? part : '') : part.split('\n').map(harmless).join('\n')))
    .join('');
}

/** JSON escapes C0 by itself; the rest of what a terminal may act on is escaped too, which changes nothing for a reader of JSON. */
function harmlessJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** On standard error, so that an answer may be asked while standard output goes to a file. */
async function readAnswer(
  { stdin, stderr }: Pick<Streams, 'stdin' | 'stderr'>,
  prompt: string,
  secret: boolean,
  signal: AbortSignal,
): Promise<string> {
  // readline echoes what is typed by writing it to its output: a secret's goes nowhere
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: secret ? silent : stderr, terminal: true });
  try {
    if (secret) stderr.write(prompt);
    const closed = new Promise<never>((_, reject) => {
      lines.once('close', () =>
        reject(new OperatorError('cannot go on: the answer did not come', { exitCode: EXIT.interrupted })),
      );
    });
    const answer = await Promise.race([lines.question(secret ? '' : prompt, { signal }), closed]);
    if (secret) stderr.write('\n');
    // a password may begin or end with a space
    return secret ? answer : answer.trim();
  } finally {
    lines.close();
  }
}
