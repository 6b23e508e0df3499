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
  /** of TLS 1.3 alone: what the server chose out of the first offer */
  chosen: v.optional(v.object({ cipher: v.string(), group: v.string() })),
});

/** A session to resume. */
export interface Resumable {
  session: Buffer;
  chosen: v.InferOutput<typeof ticketFile>['chosen'];
}

const LARGEST = 64 * 1024;

/**
 * How long after a full check of the server's identity its tickets are used. A resumed handshake shows only that the peer holds the
 * server's ticket keys, so that this bounds how long a certificate that was replaced or revoked since is still believed.
 */
const LONGEST: Milliseconds = hours(24);

/** A TLS session that outlives this process, so that a minute's tick costs a resumed handshake. */
export interface Tickets {
  /** to resume with; undefined: a full handshake is due */
  resumable(): Resumable | undefined;
  /** A full handshake has shown a certificate that holds; what was kept before is forgotten. */
  checked(certificatesEnd: Date): void;
  /** A ticket of a connection whose server was checked, or resumed from such a one. Tickets of other connections must not come here. */
  offered(resumable: Resumable): void;
  drop(): void;
  /** Puts the newest one on disk, as far as that goes: a ticket that is lost costs a handshake. */
  save(): Promise<void>;
}

type Kept = { checkedAt: Date; endsAt: Date; resumable: Resumable | undefined };

/** The ticket of an earlier run is taken up only for the same URL, CA and pin, on the same Node (resuming skips its check of the server's identity). */
export async function openTickets({ submit }: Pick<Places, 'submit'>, peer: Peer, clock: Clock): Promise<Tickets> {
  const key = peerKey(peer);
  let kept = await readTicket(submit.ticket, key);
  let saved = kept?.resumable?.session;
  let stale = kept === undefined;
  return {
    resumable: () => (kept !== undefined && isFresh(kept, clock.now()) ? kept.resumable : undefined),
    checked: (certificatesEnd) => {
      kept = { checkedAt: clock.now(), endsAt: certificatesEnd, resumable: undefined };
    },
    offered: (resumable) => {
      if (kept !== undefined) kept = { ...kept, resumable };
    },
    drop: () => {
      kept = undefined;
      stale = true;
    },
    save: async () => {
      try {
        if (kept?.resumable === undefined) {
          if (stale) await unlinkIfThere(submit.ticket);
        } else if (kept.resumable.session !== saved) {
          await writeAtomically(submit.ticket, textOf(key, kept), 0o600);
          saved = kept.resumable.session;
        }
      } catch {
        // What was handed over is handed over; the next connection begins with a full handshake, or an older ticket.
      }
    },
  };
}

function textOf(peer: string, { checkedAt, endsAt, resumable }: Kept): string {
  const times = { checked_at: checkedAt.toISOString(), ends_at: endsAt.toISOString() };
  const session = resumable?.session.toString('base64');
  return `${JSON.stringify({ peer, ...times, session, chosen: resumable?.chosen })}\n`;
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
    const { checked_at, ends_at, session, chosen } = parsed.output;
    const resumable = { session: Buffer.from(session, 'base64'), chosen };
    return { checkedAt: new Date(checked_at), endsAt: new Date(ends_at), resumable };
  } catch {
    return undefined;
  }
}
