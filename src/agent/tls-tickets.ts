import { createHash } from 'node:crypto';
import { version as nodeVersion } from 'node:process';
import * as v from 'valibot';
import { hours, type Milliseconds } from '../core/duration.ts';
import type { Clock } from '../core/world.ts';
import type { Places } from './places.ts';
import { readHostile } from './read-hostile.ts';
import type { ServerTrust } from './trust.ts';
import { unlinkIfThere, writeAtomically } from './write-atomically.ts';

/** How the server is recognized: only this CA, or only this certificate; where neither is given, the system's CAs. */
export type Peer = Pick<ServerTrust, 'url' | 'ca' | 'pin'>;

/** submit/tls-ticket.json. Who reads it can read what is said in the resumed session: 0600. */
const ticketFile = v.object({
  /** digest of all that the check of the server's identity depends on */
  peer: v.string(),
  /** when that check was last made */
  checked_at: v.pipe(v.string(), v.isoTimestamp()),
  /** when a certificate that was checked ends */
  ends_at: v.pipe(v.string(), v.isoTimestamp()),
  session: v.pipe(v.string(), v.base64()),
});

const LARGEST = 64 * 1024;

/**
 * How long after a full check of the server's identity its tickets are used. A resumed handshake shows only that the peer holds the
 * server's ticket keys, so that this bounds how long a certificate that was replaced or revoked since is still believed.
 */
const LONGEST: Milliseconds = hours(24);

/** A TLS session that outlives this process, so that a minute's tick costs a resumed handshake. */
export interface Tickets {
  /** to resume with; undefined: a full handshake is due */
  session(): Buffer | undefined;
  /** A full handshake has shown a certificate that holds; what was kept before is forgotten. */
  checked(certificatesEnd: Date): void;
  /** A ticket of a connection whose server was checked, or resumed from such a one. Tickets of other connections must not come here. */
  offered(session: Buffer): void;
  drop(): void;
  /** Puts the newest one on disk, as far as that goes: a ticket that is lost costs a handshake. */
  save(): Promise<void>;
}

type Kept = { checkedAt: Date; endsAt: Date; session: Buffer | undefined };

/** The ticket of an earlier run is taken up only for the same URL, CA and pin, on the same Node (resuming skips its check of the server's identity). */
export async function openTickets({ submit }: Pick<Places, 'submit'>, peer: Peer, clock: Clock): Promise<Tickets> {
  const key = peerKey(peer);
  let kept = await readTicket(submit.ticket, key);
  let saved = kept?.session;
  let stale = kept === undefined;
  return {
    session: () => (kept !== undefined && isFresh(kept, clock.now()) ? kept.session : undefined),
    checked: (certificatesEnd) => {
      kept = { checkedAt: clock.now(), endsAt: certificatesEnd, session: undefined };
    },
    offered: (session) => {
      if (kept !== undefined) kept = { ...kept, session };
    },
    drop: () => {
      kept = undefined;
      stale = true;
    },
    save: async () => {
      try {
        if (kept?.session === undefined) {
          if (stale) await unlinkIfThere(submit.ticket);
        } else if (kept.session !== saved) {
          await writeAtomically(submit.ticket, textOf(key, kept), 0o600);
          saved = kept.session;
        }
      } catch {
        // What was handed over is handed over; the next connection begins with a full handshake, or an older ticket.
      }
    },
  };
}

function textOf(peer: string, { checkedAt, endsAt, session }: Kept): string {
  const times = { checked_at: checkedAt.toISOString(), ends_at: endsAt.toISOString() };
  return `${JSON.stringify({ peer, ...times, session: session?.toString('base64') })}\n`;
}

function peerKey({ url, ca, pin }: Peer): string {
  return createHash('sha256')
    .update(JSON.stringify([url, ca ?? null, pin ?? null, nodeVersion]))
    .digest('hex');
}

/** A time in the future was written by a wrong clock: nothing is known of its age then. */
function isFresh({ checkedAt, endsAt }: Kept, now: Date): boolean {
  const age = now.getTime() - checkedAt.getTime();
  return age >= 0 && age < LONGEST && now < endsAt;
}

/** @returns undefined for anything that cannot be used: a full handshake replaces it */
async function readTicket(path: string, key: string): Promise<Kept | undefined> {
  try {
    const bytes = await readHostile(path, LARGEST);
    const parsed = v.safeParse(ticketFile, JSON.parse(bytes?.toString('utf8') ?? ''));
    if (!parsed.success || parsed.output.peer !== key) return undefined;
    const { checked_at, ends_at, session } = parsed.output;
    return { checkedAt: new Date(checked_at), endsAt: new Date(ends_at), session: Buffer.from(session, 'base64') };
  } catch {
    return undefined;
  }
}
