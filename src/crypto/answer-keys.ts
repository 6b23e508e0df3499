/** The keys that sign a server's answers, one after the other: making rotations, and following them. */
import { isDeepStrictEqual } from 'node:util';
import {
  type AnswerKeyRotation,
  LONGEST_OVERLAP,
  MOST_ROTATIONS,
  ROTATION_TYPE,
  type SignedRotation,
} from '../wire/v2/answer-keys.ts';
import { canonicalJson } from '../wire/v2/digest.ts';
import { importPublicKey, type SigningKey } from './ed25519.ts';

export interface AnswerKey {
  /** 0 for the first key of a server */
  number: number;
  /** raw 32 bytes, base64 */
  key: string;
}

/** What somebody trusts: the key that was pinned, and the rotations that lead on from it. */
export interface AnswerKeyRing {
  first: AnswerKey;
  /** verified, without a gap from `first.number + 1` on */
  rotations: readonly SignedRotation[];
}

export type Followed = { ok: true; ring: AnswerKeyRing } | { ok: false; reason: string };

/** All keys with which a server may sign. */
export interface AnswerKeys {
  newest: { number: number; key: SigningKey };
  /** those before it, newest first, each as long as `until` */
  older: readonly { number: number; key: SigningKey; until: Date }[];
  /** all of the server, oldest first */
  rotations: readonly SignedRotation[];
}

/** The keys of a server that has not rotated yet. */
export function onlyAnswerKey(key: SigningKey): AnswerKeys {
  return { newest: { number: 0, key }, older: [], rotations: [] };
}

export function signRotation(
  old: { number: number; key: SigningKey },
  newKey: Pick<SigningKey, 'publicKey'>,
  { madeAt, overlapUntil }: { madeAt: Date; overlapUntil: Date },
): SignedRotation {
  const statement: AnswerKeyRotation = {
    type: ROTATION_TYPE,
    number: old.number + 1,
    old_key: old.key.publicKey,
    new_key: newKey.publicKey,
    made_at: madeAt.toISOString(),
    overlap_until: overlapUntil.toISOString(),
  };
  return { statement, signature: Buffer.from(old.key.sign(canonicalJson(statement))).toString('base64') };
}

/**
 * Goes from what is trusted to the newest key of the chain that a server offers. Pure: the same ring, or a longer one, or why not.
 * @param offered all rotations of the server, oldest first; they may begin before the ring does
 */
export function followRotations(ring: AnswerKeyRing, offered: readonly SignedRotation[]): Followed {
  const [start] = offered;
  const known = newestOf(ring);
  if (start === undefined) return known.number === 0 ? { ok: true, ring } : refuse(goesBack(0, known));
  const from = start.statement.number;
  const broken = offered.findIndex(({ statement }, index) => statement.number !== from + index);
  if (broken !== -1) return refuse(`the chain has a gap, or goes back, after number ${from + broken - 1}`);
  const last = from + offered.length - 1;
  if (last < known.number) return refuse(goesBack(last, known));
  if (from > known.number + 1) return refuse(`the chain has a gap: it begins at number ${from}, after ${known.number}`);
  const fork = findFork(ring, offered);
  if (fork !== undefined) return refuse(fork);
  return extend(ring, offered.slice(known.number + 1 - from));
}

export function newestOf({ first, rotations }: AnswerKeyRing): AnswerKey {
  const last = rotations.at(-1)?.statement;
  return last === undefined ? first : { number: last.number, key: last.new_key };
}

/** Every key of the ring, newest first, and since when its answers do not count any more (undefined: the newest). */
export function keysIn({ first, rotations }: AnswerKeyRing): (AnswerKey & { endedBy: Date | undefined })[] {
  const keys = [first, ...rotations.map(({ statement }) => ({ number: statement.number, key: statement.new_key }))];
  const ends = rotations.map(({ statement }) => new Date(statement.overlap_until));
  return keys.map((key, index) => ({ ...key, endedBy: ends[index] })).reverse();
}

const goesBack = (last: number, known: AnswerKey): string =>
  `the chain goes back: it ends at number ${last}, after number ${known.number}`;

/** What both have must be the same, to the key that was pinned. */
function findFork({ first, rotations }: AnswerKeyRing, offered: readonly SignedRotation[]): string | undefined {
  for (const { statement } of offered) {
    if (statement.number < first.number) continue;
    if (statement.number === first.number) {
      if (statement.new_key !== first.key)
        return `the chain is another server's: number ${first.number} is another key`;
      continue;
    }
    const known = rotations[statement.number - first.number - 1];
    if (known !== undefined && !isDeepStrictEqual(known.statement, statement)) {
      return `the chain forks: there are two statements with number ${statement.number}`;
    }
  }
  return undefined;
}

function extend(ring: AnswerKeyRing, links: readonly SignedRotation[]): Followed {
  const rotations = [...ring.rotations];
  if (rotations.length + links.length > MOST_ROTATIONS) return refuse(`the chain is longer than ${MOST_ROTATIONS}`);
  const seen = new Set(keysIn(ring).map(({ key }) => key));
  let { key } = newestOf(ring);
  for (const { statement, signature } of links) {
    const at = `number ${statement.number}`;
    if (statement.old_key !== key) return refuse(`the chain forks: ${at} does not replace the key before it`);
    if (seen.has(statement.new_key)) return refuse(`the chain goes back: ${at} is a key that was replaced`);
    const overlap = Date.parse(statement.overlap_until) - Date.parse(statement.made_at);
    if (overlap < 0 || overlap > LONGEST_OVERLAP) return refuse(`the overlap of ${at} is negative, or too long`);
    const signed = Buffer.from(signature, 'base64');
    if (!importPublicKey(key).verify(canonicalJson(statement), signed)) {
      return refuse(`the signature of ${at} does not verify`);
    }
    key = statement.new_key;
    seen.add(key);
    rotations.push({ statement, signature });
  }
  return { ok: true, ring: { first: ring.first, rotations } };
}

function refuse(reason: string): Followed {
  return { ok: false, reason };
}
