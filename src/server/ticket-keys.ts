import { createHash, hkdfSync } from 'node:crypto';
import { hours, type Milliseconds } from '../core/duration.ts';
import type { Random } from '../core/world.ts';

/** How long a TLS session ticket can be used at least; the key that made it is kept as long again. */
export const TICKET_LIFE: Milliseconds = hours(12);

/** What ticket keys are made from, base64url: in memory alone, never logged. */
export interface TicketSecrets {
  /** makes tickets, and opens them */
  present: string;
  /** opens those that were made before the last rotation */
  previous?: string | undefined;
}

export interface TicketRing {
  secrets(): TicketSecrets;
  /** The present one becomes the previous one. */
  rotate(): TicketSecrets;
}

export function createTicketRing(random: Pick<Random, 'bytes'>): TicketRing {
  const make = () => Buffer.from(random.bytes(32)).toString('base64url');
  let secrets: TicketSecrets = { present: make() };
  return {
    secrets: () => secrets,
    rotate() {
      secrets = { present: make(), previous: secrets.present };
      return secrets;
    },
  };
}

/** Parts of RFC 5077 section 4. */
export interface TicketKey {
  /** 16 bytes */
  name: Buffer;
  hmac: Buffer;
  /** AES-128 */
  aes: Buffer;
}

/**
 * A ticket stands for the handshake in which the certificate was shown. So its key depends on the certificate: after a new one nobody
 * resumes what began with the old one, and every client looks at the new one once.
 */
export function ticketKey(secret: string, certificate: string): TicketKey {
  const salt = createHash('sha256').update(certificate).digest();
  const bytes = Buffer.from(hkdfSync('sha256', Buffer.from(secret, 'base64url'), salt, 'penguindome tls ticket', 48));
  return { name: bytes.subarray(0, 16), hmac: bytes.subarray(16, 32), aes: bytes.subarray(32, 48) };
}
