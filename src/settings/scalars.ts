/** The kinds of single values that settings hold. */
import * as z from 'zod';
import { isAccountName } from '../core/access.ts';
import { parseDuration } from '../core/duration.ts';
import { parseAddressRange } from './address-range.ts';

const A_DURATION = 'expected a number and s, m, h or d, such as 10m';

/** `90s`, `10m`, `4h`, `7d` → milliseconds */
export const duration = z.string({ error: A_DURATION }).transform((text, context) => {
  const parsed = parseDuration(text);
  if (parsed === undefined) {
    context.addIssue({ code: 'custom', message: A_DURATION });
    return z.NEVER;
  }
  return parsed;
});

/** Whether the schema is that of a duration: written as text, used as milliseconds. */
export function isDuration(schema: unknown): boolean {
  return schema === duration;
}

const AN_ADDRESS_RANGE = 'expected an address or range such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32';

export const addressRange = z
  .string({ error: AN_ADDRESS_RANGE })
  .refine((text) => parseAddressRange(text) !== undefined, { error: AN_ADDRESS_RANGE });

/** As the above; the range that holds everybody is no slip where it is somebody's access that is meant. */
export const accessRange = z
  .string({ error: AN_ADDRESS_RANGE })
  .refine((text) => parseAddressRange(text, { everybody: true }) !== undefined, { error: AN_ADDRESS_RANGE });

export const accountName = z
  .string()
  .refine(isAccountName, { error: 'expected a name without colons and control characters' });

export const count = z.int().min(1);
export const port = z.int().min(0).max(65535);
export const path = z.string().min(1);
