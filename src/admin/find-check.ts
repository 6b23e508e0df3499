import type { CheckBook, KnownCheck } from '../core/check-book.ts';
import { OperatorError } from '../core/errors.ts';
import { nearest } from '../settings/schema-at.ts';

/** @throws OperatorError where there is none of that name, with what may be meant */
export function findCheck({ checks }: CheckBook, name: string): KnownCheck {
  const check = checks.find((each) => each.name === name);
  if (check !== undefined) return check;
  const meant = nearest(
    name,
    checks.map((each) => each.name),
  );
  const advice = meant === undefined ? '`penguindome checks list` shows those there are' : `did you mean ${meant}?`;
  throw new OperatorError(`cannot find a check named ${name}; ${advice}`);
}

/** Whether it is on, and if not, why. */
export function showState({ on, off_by }: KnownCheck): string {
  if (on) return 'on';
  return off_by === 'profile' ? 'off (profile)' : 'off';
}

/** Where it comes from: the product or a file, and what changed it. */
export function showOrigin({ shipped, file, replaces, overridden_by }: KnownCheck): string {
  const origin = shipped ? 'shipped' : replaces === null ? file : `${file}, in place of ${replaces}`;
  return overridden_by.length === 0 ? origin : `${origin}, changed by ${overridden_by.join(', ')}`;
}
