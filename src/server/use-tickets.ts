import { randomBytes } from 'node:crypto';
import type { Server } from 'node:https';
import type { Log } from '../core/events.ts';
import { type TicketKey, type TicketSecrets, ticketKey } from './ticket-keys.ts';

/** What OpenSSL makes of a ticket (SSL_CTX_set_tlsext_ticket_key_cb(3)). A third answer, "good, give a new one", would let a client go on
 * for ever without a look at the certificate. */
const [UNKNOWN, GOOD] = [0, 1];

type Answer = [status: number, hmac: Buffer, aes: Buffer, name?: Buffer, iv?: Buffer];

/**
 * Makes the server's present certificate give and take tickets by these keys: each process that has them resumes what another began.
 * To be called again for each new certificate, and when the secrets change.
 *
 * Node's own setTicketKeys holds one key: a rotation would void the tickets just given. Below it OpenSSL can ask a callback, which
 * Node has for its own tests only (test-https-resume-after-renew.js): it is used where it is there.
 */
export function useTickets(
  server: Server,
  certificate: string,
  { secrets, log }: { secrets: () => TicketSecrets; log: Log },
): void {
  const context = field(field(server, '_sharedCreds'), 'context');
  const enable = field(context, 'enableTicketKeyCallback');
  if (!isObject(context) || typeof enable !== 'function') {
    const { name, hmac, aes } = ticketKey(secrets().present, certificate);
    server.setTicketKeys(Buffer.concat([name, hmac, aes]));
    log.event('tls.one-ticket-key');
    return;
  }
  const keysOf = rememberKeys(certificate);
  Reflect.set(context, 'onticketkeycallback', (name: Buffer, _iv: Buffer, make: boolean): Answer => {
    const { present, previous } = keysOf(secrets());
    if (make) return [GOOD, present.hmac, present.aes, present.name, randomBytes(16)];
    const key = [present, previous].find((each) => each?.name.equals(name));
    // Node wants keys beside any answer.
    return key === undefined ? [UNKNOWN, present.hmac, present.aes] : [GOOD, key.hmac, key.aes];
  });
  Reflect.apply(enable, context, []);
}

interface Keys {
  present: TicketKey;
  previous: TicketKey | undefined;
}

/** Derived once for each rotation, not for each handshake. */
function rememberKeys(certificate: string): (secrets: TicketSecrets) => Keys {
  let last: { secrets: TicketSecrets; keys: Keys } | undefined;
  return (secrets) => {
    if (last?.secrets !== secrets) {
      const { present, previous } = secrets;
      const keys = {
        present: ticketKey(present, certificate),
        previous: previous === undefined ? undefined : ticketKey(previous, certificate),
      };
      last = { secrets, keys };
    }
    return last.keys;
  };
}

function field(of: unknown, name: string): unknown {
  return isObject(of) ? Reflect.get(of, name) : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
