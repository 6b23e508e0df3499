import { hours } from '../../core/duration.ts';
import { Refusal } from '../../core/errors.ts';
import type { Log } from '../../core/events.ts';
import type { Host, HostId, Identity, KeyId } from '../../core/host.ts';
import type { Clock } from '../../core/world.ts';
import { keyIdOf } from '../../crypto/ed25519.ts';
import type { ServerSettings } from '../../settings/server-settings.ts';
import type { IdentityLog } from '../../store/identity-log.ts';
import type { Rotation, Speaker, Store } from '../../store/port.ts';
import type { RotateRequest } from '../../wire/v2/messages.ts';
import { spendSequence } from '../spend-sequence.ts';
import { requireNewKey, requireProof, requireSpeaker, rotatedBefore } from './judge-rotation.ts';

export interface RotationDeps {
  store: Store;
  settings: () => ServerSettings;
  /** the append-only list of identities outside the store: a restored backup learns from it which key took over */
  identities: Pick<IdentityLog, 'append'>;
  clock: Clock;
  log: Log;
}

/** A request whose signature by the host's own key was verified. */
export interface Rotating {
  speaker: Speaker;
  address: string;
  request: RotateRequest;
}

export interface Rotated {
  hostname: string;
  host_id: HostId;
  key_id: KeyId;
  old_key_ends_at: Date;
}

type Known = Host & { identity: Identity };

/** Guards fail only where somebody else wrote the same host meanwhile. */
const ATTEMPTS = 5;
/** How often one host may come with another key, lest it fills the store with them. */
const SELDOM = hours(1);

/**
 * Adds the key that the host's own key vouches for, or repeats what was answered before. The number is used up first, so that a
 * request counts once, whatever becomes of it; whether the key is added then only the store's guarded write decides.
 */
export async function rotateKey(deps: RotationDeps, rotating: Rotating): Promise<Rotated> {
  const { store, clock, identities } = deps;
  const key_id = keyIdOf(rotating.request.public_key);
  let host: Known | undefined = await spendSequence(deps, rotating.speaker);
  let announced = false;
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const at = clock.now();
      const known = requireSpeaker(host, rotating, at);
      requireProof(known, rotating);
      const before = rotatedBefore(known, rotating, key_id, at);
      if (before !== undefined) return before;
      const rotation = await compose(deps, known, rotating, key_id, at);
      if (!announced) await announce(deps, rotation, at);
      announced = true;
      if (await store.hosts.rotate(rotation, at)) return added(deps, known, rotation, rotating);
      host = await store.hosts.findByKey(rotating.speaker.key_id);
    }
  } catch (error) {
    // Where the store did not say whether it is done, the list keeps it: the agent comes again.
    if (announced && error instanceof Refusal)
      await identities.append({ event: 'not-rotated', key_id, at: clock.now() });
    throw error;
  }
  throw new Refusal('unavailable', 'cannot add the key now: others write the same host; come again');
}

/** @throws Refusal where this key cannot take over, or not now */
async function compose(
  { store, settings }: RotationDeps,
  host: Known,
  { speaker, address, request }: Rotating,
  key_id: KeyId,
  at: Date,
): Promise<Rotation> {
  const { host_id, machine_id_digest, pattern } = host.identity;
  const replaces = speaker.key_id;
  const none_since = new Date(at.getTime() - SELDOM);
  requireNewKey(host, { key_id, replaces, none_since }, await store.enrollments.find(key_id));
  const vouching = await store.enrollments.find(replaces);
  const enrollment: Rotation['enrollment'] = {
    key_id,
    host_id,
    hostname: host.hostname,
    public_key: request.public_key,
    ...(machine_id_digest === undefined ? {} : { machine_id_digest }),
    address,
    token_id: vouching?.token_id ?? '',
    ...(pattern === undefined ? {} : { pattern }),
    replaces,
    status: 'approved',
    sequence: speaker.sequence,
    enrolled_at: at,
    approved_at: at,
  };
  const ends_at = new Date(at.getTime() + settings().agents.key_overlap);
  return { host_id, enrollment, ends_at, none_since };
}

async function announce({ identities }: RotationDeps, { enrollment, ends_at }: Rotation, at: Date): Promise<void> {
  const { key_id, host_id, hostname, public_key, machine_id_digest, address, token_id, pattern, replaces } = enrollment;
  await identities.append({
    event: 'rotated',
    key_id,
    host_id,
    hostname,
    public_key,
    ...(machine_id_digest === undefined ? {} : { machine_id_digest }),
    address,
    token_id,
    ...(pattern === undefined ? {} : { pattern }),
    replaces,
    ends_at,
    at,
  });
}

function added({ log }: RotationDeps, { hostname }: Known, rotation: Rotation, { address }: Rotating): Rotated {
  const { host_id, enrollment, ends_at } = rotation;
  log.event('host.rotated', { host: hostname, remote: address });
  return { hostname, host_id, key_id: enrollment.key_id, old_key_ends_at: ends_at };
}
