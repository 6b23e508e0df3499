import type { HostId, KeyId } from '../../core/host.ts';

export interface RotationFacts {
  host_id: HostId;
  /** id of the key that signs the request */
  old_key: KeyId;
  /** the key that takes over: raw 32 bytes, base64 */
  public_key: string;
}

/**
 * What the new key signs, so that nobody can have another one's key added to a host of theirs. The first line keeps the signature from
 * being taken for one over anything else: a signature base (RFC 9421 section 2.5) begins with a quotation mark.
 */
export function rotationStatement({ host_id, old_key, public_key }: RotationFacts): string {
  return ['penguindome-rotate-key', host_id, old_key, public_key].join('\n');
}
