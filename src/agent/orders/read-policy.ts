import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import type { Operator } from '../../crypto/order-signatures.ts';
import { DEFAULT_POLICY, parseTrustPolicy, type TrustPolicy } from '../../settings/trust-policy.ts';
import { hasCode } from '../has-code.ts';
import type { Places } from '../places.ts';
import { listHostile } from '../read-hostile.ts';
import { needTrusted, readTrusted } from './read-trusted.ts';

export type ReadPolicy =
  | {
      ok: true;
      policy: TrustPolicy;
      operators: Operator[];
      /** whether there is a policy.yml at all */
      written: boolean;
    }
  /** then no order counts */
  | { ok: false; reason: string };

const LARGEST_POLICY = 64 * 1024;
const LARGEST_KEYS = 256 * 1024;
const MOST_OPERATORS = 100;

/** The administrator's rules for orders. Without policy.yml these are the default; one that is damaged, or that others may write to, lets nothing through. */
export function readPolicy(places: Where, uid: number): Promise<ReadPolicy> {
  return read(places, uid).catch((error: unknown) => ({ ok: false, reason: oneLine(messageOf(error)) }));
}

type Where = Pick<Places, 'policy' | 'operators' | 'trust' | 'trustFolder'>;

async function read(places: Where, uid: number): Promise<ReadPolicy> {
  // Who may rename the folder, or write what enrolment pinned, could make rules of his own.
  needTrusted(dirname(places.trustFolder), uid);
  readTrusted(places.trust, uid, LARGEST_KEYS);
  const text = readTrusted(places.policy, uid, LARGEST_POLICY);
  const policy = text === undefined ? DEFAULT_POLICY : parseTrustPolicy(text.toString('utf8'), places.policy);
  return { ok: true, policy, operators: await readOperators(places.operators, uid), written: text !== undefined };
}

async function readOperators(folder: string, uid: number): Promise<Operator[]> {
  try {
    lstatSync(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
  const names = (await listHostile(folder, MOST_OPERATORS)).filter((name) => /^[^.].*\.asc$/.test(name));
  return names.map((name) => {
    const bytes = readTrusted(join(folder, name), uid, LARGEST_KEYS);
    if (bytes === undefined) throw new Error(`cannot read ${join(folder, name)}: it is gone`);
    return { name: name.slice(0, -'.asc'.length), keys: bytes.toString('utf8') };
  });
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, '; ').replace(/:; /, ': ');
}
