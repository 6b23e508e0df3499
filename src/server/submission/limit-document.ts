import type { Judgement } from '../../core/check.ts';
import { documentSize } from '../../core/document-size.ts';
import { Refusal } from '../../core/errors.ts';
import type { Fields } from '../../core/value.ts';
import { judgementFields } from '../../store/judgement-fields.ts';

/** Room for what is not counted: times, keys, the last acknowledgement. */
const OVERHEAD = 4096;

/** A report that would make the host's document larger than the limit is refused whole; nothing is cut off. */
export function limitDocument(
  { plugins, commands, list, checks }: { plugins?: Fields; commands?: Fields; list?: Fields; checks: Judgement },
  limit: number,
  code: 'too-large' | 'bad-request',
): void {
  const parts = [plugins ?? {}, commands ?? {}, list ?? {}, judgementFields(checks)];
  const size = parts.reduce((sum, part) => sum + documentSize(part), OVERHEAD);
  if (size > limit) {
    throw new Refusal(code, `cannot store a host of more than ${limit} bytes`, { detail: `it would be ${size}` });
  }
}
