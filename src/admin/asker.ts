import { OperatorError } from '../core/errors.ts';
import type { Reader } from './answer-readers.ts';
import type { Output } from './context.ts';
import { EXIT } from './exit-codes.ts';

export type Ask = <T>(
  question: string,
  flag: string,
  given: string | undefined,
  preset: string,
  read: Reader<T>,
) => Promise<T>;

/** A flag's value must do at once; an answer that will not do is asked for again. */
export function asker(flags: { yes?: true }, output: Output): Ask {
  return async (question, flag, given, preset, read) => {
    if (given !== undefined) return check(read, given, flag);
    if (flags.yes === true) return check(read, preset, flag);
    for (;;) {
      const answer = read(await output.ask(question, { flag: `${flag}, or --yes`, default: preset }));
      if ('value' in answer) return answer.value;
      output.note(answer.fault);
    }
  };
}

export function check<T>(read: Reader<T>, text: string, flag: string): T {
  const answer = read(text);
  if ('value' in answer) return answer.value;
  throw new OperatorError(`cannot use ${flag} ${JSON.stringify(text)}: ${answer.fault}`, { exitCode: EXIT.usage });
}
