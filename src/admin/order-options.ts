import { type Command, InvalidArgumentError, Option } from 'commander';
import { days, type Milliseconds, parseDuration } from '../core/duration.ts';
import type { OrderKind } from '../core/order.ts';
import { LONGEST_ORDER_DAYS } from '../wire/v2/order.ts';

/** What every command that orders something takes. */
export interface OrderOptions {
  why?: string;
  expires?: Milliseconds;
  notBefore?: (now: Date) => Date;
  signWith?: string;
}

/** How long a host that is off may take to fetch it, where nobody says so. */
export const DEFAULT_EXPIRY: Record<OrderKind, Milliseconds> = {
  command: days(7),
  patch: days(30),
  release: days(90),
  settings: days(90),
  wipe: days(90),
  unlock: days(30),
};

export function addOrderOptions(command: Command, kind: OrderKind): Command {
  return command
    .addOption(whyOption())
    .addOption(
      new Option(
        '--expires <duration>',
        `hosts that come back later do not do it any more; at most ${LONGEST_ORDER_DAYS}d`,
      )
        .argParser(readExpiry)
        .default(undefined, `${DEFAULT_EXPIRY[kind] / days(1)}d`),
    )
    .addOption(
      new Option(
        '--not-before <time>',
        'hosts fetch it, and wait until then: 2026-03-02T22:00Z, or 8h from now',
      ).argParser(readNotBefore),
    )
    .addOption(signWithOption());
}

export function whyOption(): Option {
  return new Option('--why <text>', "one line, for the hosts' receipts and whoever reads them").argParser((text) =>
    readWhy(text),
  );
}

export function signWithOption(): Option {
  return new Option(
    '--sign-with <key>',
    'sign with this key of yours too, by gpg and its agent: fingerprint, key id or mail address (smart cards work)',
  );
}

const MOST_WHY = 1_000;

export function readWhy(text: string, most = MOST_WHY): string {
  if (text.length > most || /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text)) {
    throw new InvalidArgumentError(`Expected one line of at most ${most} characters.`);
  }
  return text;
}

function readExpiry(text: string): Milliseconds {
  const duration = parseDuration(text);
  if (duration === undefined || duration <= 0 || duration > days(LONGEST_ORDER_DAYS)) {
    throw new InvalidArgumentError(
      `Expected a number and s, m, h or d, such as 7d, of at most ${LONGEST_ORDER_DAYS}d.`,
    );
  }
  return duration;
}

function readNotBefore(text: string): (now: Date) => Date {
  const duration = parseDuration(text);
  if (duration !== undefined) return (now) => new Date(now.getTime() + duration);
  const time = new Date(/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z)?$/.test(text) ? text : Number.NaN);
  if (Number.isNaN(time.getTime())) {
    throw new InvalidArgumentError(
      'Expected a time such as 2026-03-02 or 2026-03-02T22:00Z, or 8h for 8 hours from now.',
    );
  }
  return () => time;
}
