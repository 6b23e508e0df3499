import * as v from 'valibot';
import type { HostId } from '../core/host.ts';
import type { SigningKey } from '../crypto/ed25519.ts';
import { rotateAnswer } from '../wire/v2/messages.ts';
import { ROTATE, UPDATE } from '../wire/v2/paths.ts';
import { rotationStatement } from '../wire/v2/rotation.ts';
import type { Speaking } from './build-submission.ts';
import { type Answer, exchange, problemIn, type Speaker } from './exchange.ts';
import { readOrMakeRotating, useNext } from './identity.ts';
import type { Places } from './places.ts';
import { RequestProblem } from './problem.ts';
import { unlinkIfThere } from './write-atomically.ts';

export interface Rotated {
  key: SigningKey;
  /** until when the server takes the old key; null: it has ended already */
  old_key_ends_at: string | null;
}

type Where = Pick<Places, 'identity' | 'rotatingIdentity'>;
type Refused = Extract<Answer, { outcome: 'refused' }>;

/** The server says these only where it has not added the key: it is of no use. */
const NOT_ADDED: readonly string[] = ['bad-request', 'known-key', 'pending', 'replaced-key', 'rotated-recently'];

/**
 * Has the server take a new key for this host's, and changes over to it. The new key is on disk before the server hears of it, and stays
 * there until it is the identity: cut off anywhere, this is done again with the same key. The caller holds the submitter's lock.
 * @throws RequestProblem: the old key stays the identity
 */
export async function rotateKey(places: Where, speaker: Speaker, speaking: Speaking): Promise<Rotated> {
  const key = await readOrMakeRotating(places);
  const host_id = hostIdIn(speaker);
  const statement = rotationStatement({ host_id, old_key: speaker.key.id, public_key: key.publicKey });
  const answer = await exchange(speaker, ROTATE, {
    public_key: key.publicKey,
    proof: Buffer.from(key.sign(statement)).toString('base64'),
    agent: speaking.version,
  });
  if (answer.outcome === 'refused') {
    if (!(await tookOver(places, { ...speaker, key }, speaking, answer))) throw problemIn(answer, speaker.clock);
    await changeOver(places, speaker, key);
    return { key, old_key_ends_at: null };
  }
  const parsed = v.safeParse(rotateAnswer, answer.content);
  if (!parsed.success || parsed.output.key_id !== key.id || parsed.output.host_id !== host_id) {
    throw new RequestProblem('refused', "cannot understand the server's answer about the new key");
  }
  await changeOver(places, speaker, key);
  return { key, old_key_ends_at: parsed.output.old_key_ends_at };
}

function hostIdIn({ memory }: Speaker): HostId {
  const { host_id } = memory.state;
  if (host_id === null) throw new Error('cannot rotate a key before the host has an id');
  return host_id as HostId;
}

/** Whether the server knows the new key although it refuses the old one: that may have ended while the answer was lost. */
async function tookOver(places: Where, next: Speaker, speaking: Speaking, { refusal }: Refused): Promise<boolean> {
  if (NOT_ADDED.includes(refusal.error)) await unlinkIfThere(places.rotatingIdentity);
  if (refusal.error !== 'revoked-key') return false;
  const { hostname, version } = speaking;
  const answer = await exchange(next, UPDATE, { hostname, release: 0, agent: version });
  if (answer.outcome === 'ok' || answer.refusal.error === 'pending') return true;
  if (['unknown-key', 'revoked-key'].includes(answer.refusal.error)) await unlinkIfThere(places.rotatingIdentity);
  return false;
}

/** Between these steps the state belongs to whichever of the two keys is the identity: see forIdentity. */
async function changeOver(
  { identity, rotatingIdentity }: Where,
  { memory }: Pick<Speaker, 'memory'>,
  key: SigningKey,
): Promise<void> {
  await memory.keep({ successor: key.id });
  await useNext({ identity, nextIdentity: rotatingIdentity });
  await memory.keep({ key_id: key.id, successor: null });
}
