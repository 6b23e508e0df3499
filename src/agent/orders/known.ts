import { join } from 'node:path';
import * as v from 'valibot';
import type { Places } from '../places.ts';
import { readHostile } from '../read-hostile.ts';
import { writeAtomically } from '../write-atomically.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const text = v.pipe(v.string(), v.maxLength(200));

/** results/known.json: what the applier lets the submitter and `status` know. */
const known = v.object({
  /** rises with each report and receipt */
  version: v.optional(count, 0),
  /** number of the release installed; 0: none */
  release: v.optional(count, 0),
  /** ids of orders that need not come again */
  held: v.optional(v.array(text), []),
  /** ids of orders that are not settled */
  open: v.optional(v.array(text), []),
  /** numbers of the order key and of the list of revocations that count here */
  order_key: v.optional(count, 0),
  /** whether there is an order key at all */
  has_order_key: v.optional(v.boolean(), false),
  revocations: v.optional(count, 0),
  /** SHA-256 of the inbox/trust.json of which all was taken: the same need not come again */
  heard_keys: v.optional(v.nullable(text), null),
  /** end of the chain of receipts */
  receipts: v.optional(v.object({ number: count, hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) }), {
    number: 0,
    hash: '0'.repeat(64),
  }),
  /** how commands are run: in units of systemd, or as children of the agent; null: none was yet */
  runs_by: v.optional(v.nullable(v.picklist(['systemd', 'child'])), null),
  /** why no order counts here now, such as a damaged policy */
  problem: v.optional(v.nullable(v.string()), null),
  /** why statements about keys were refused */
  refused_keys: v.optional(v.nullable(v.object({ reason: v.string(), at: v.string() })), null),
  applied_at: v.optional(v.nullable(v.string()), null),
});
export type Known = v.InferOutput<typeof known>;

const KNOWN = 'known.json';
const LARGEST = 1024 * 1024;

/** What is damaged is as if it were not there: the next run of the applier writes it anew. */
export async function readKnown({ results }: Pick<Places, 'results'>): Promise<Known> {
  const bytes = await readHostile(join(results, KNOWN), LARGEST);
  const parsed = v.safeParse(known, parse(bytes));
  return parsed.success ? parsed.output : v.parse(known, {});
}

export async function writeKnown({ results }: Pick<Places, 'results'>, content: Known): Promise<void> {
  await writeAtomically(join(results, KNOWN), `${JSON.stringify(content)}\n`, 0o640);
}

function parse(bytes: Buffer | undefined): unknown {
  try {
    return JSON.parse(bytes?.toString('utf8') ?? '{}');
  } catch {
    return {};
  }
}
