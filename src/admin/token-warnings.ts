import { days } from '../core/duration.ts';
import type { Token } from '../core/enrollment.ts';
import { showTime } from './show-time.ts';

/** A token that is good for longer is not called short-lived. */
const SHORT_LIVED = days(7);

/** Of what holds a token and goes to many. The first one is always told. @param what `a package` */
export function tokenWarnings({ created_at, expires_at, approve, pattern }: Token, what: string): string[] {
  const until = showTime(expires_at);
  const warnings = [`${what} is no secret: whoever gets a copy can read the token in it, and use it until ${until}`];
  if (expires_at.getTime() - created_at.getTime() > SHORT_LIVED)
    warnings.push(
      `the token is not short-lived: let it be good for a few days (--expires), and make ${what.replace(/^an? /, 'the ')} anew`,
    );
  if (approve && (pattern === undefined || /^[*?]*$/.test(pattern)))
    warnings.push('the token lets in any machine at once: use --pending, or names of a pattern (--pattern)');
  return warnings;
}
