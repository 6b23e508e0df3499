import { type Command, InvalidArgumentError, Option } from 'commander';
import { days, type Milliseconds, parseDuration } from '../core/duration.ts';
import { readCount } from './read-count.ts';

export interface TokenOptions {
  expires: Milliseconds;
  uses: number;
  pattern?: string;
  approve?: boolean;
  note?: string;
}

/** Whom a token lets in, and until when. */
export function addTokenOptions(verb: Command): Command {
  return verb
    .addOption(
      new Option('--expires <duration>', 'how long it lets them in').argParser(readExpiry).default(days(7), '7d'),
    )
    .option('--uses <n>', 'how many machines', readCount, 1)
    .option('--pattern <glob>', "only machines of these host names, such as 'lap-*'", readPattern)
    .addOption(new Option('--approve', 'each at once').conflicts('pending'))
    .option('--pending', 'each when `penguindome enrollment approve` was said for it (the default)')
    .option('--note <text>', 'what it is for, shown by `enrollment list`');
}

const LONGEST = days(3650);

function readExpiry(text: string): Milliseconds {
  const duration = parseDuration(text);
  if (duration === undefined || duration === 0 || duration > LONGEST) {
    throw new InvalidArgumentError('Expected a number and s, m, h or d, such as 7d, of at most 3650d.');
  }
  return duration;
}

function readPattern(text: string): string {
  if (!/^[A-Za-z0-9_.*?-]{1,253}$/.test(text)) {
    throw new InvalidArgumentError("Expected a host name in which * and ? may stand, such as 'lap-*'.");
  }
  return text;
}
