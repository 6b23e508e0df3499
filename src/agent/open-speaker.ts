import { OperatorError } from '../core/errors.ts';
import type { AgentSettings } from '../settings/agent-settings.ts';
import { openAnswerKeys } from './answer-keys.ts';
import { type ConnectionLimits, connection } from './connection.ts';
import type { AgentContext } from './context.ts';
import type { Speaker } from './exchange.ts';
import { EXIT } from './exit-codes.ts';
import { readHandedIdentity, readIdentity } from './identity.ts';
import type { Places } from './places.ts';
import { forIdentity, openMemory } from './submitter-state.ts';
import { openTickets, type Tickets } from './tls-tickets.ts';
import { pinnedKey, readTrust } from './trust.ts';

/**
 * All that it takes to speak with the server as this host. The caller holds the submitter's lock, closes the connection, and
 * may then save the tickets that came over it. `handed`: who speaks cannot reach the key's own file, nor put another one there.
 */
export async function openSpeaker(
  places: Places,
  settings: AgentSettings,
  { clock, random, signal }: Pick<AgentContext, 'clock' | 'random' | 'signal'>,
  what = 'submit',
): Promise<Speaker & { tickets: Tickets; handed: boolean }> {
  const trust = await readTrust(places);
  const handed = trust === undefined ? undefined : await readHandedIdentity(places);
  const key = trust === undefined ? undefined : (handed ?? (await readIdentity(places)));
  if (trust === undefined || key === undefined) throw notEnrolled(what);
  const memory = await openMemory(places);
  await forIdentity(memory, trust.host_id, key.id);
  const peer = { ...trust, url: settings.url ?? trust.url };
  const tickets = await openTickets(places, peer, clock);
  return {
    connection: connection(peer, limitsOf(settings), clock, signal, tickets),
    tickets,
    key,
    handed: handed !== undefined,
    answerKeys: await openAnswerKeys(places, pinnedKey(trust), clock),
    memory,
    clock,
    random,
  };
}

export function limitsOf({ network }: AgentSettings): ConnectionLimits {
  return { connect: network.connect_timeout, request: network.timeout };
}

function notEnrolled(what: string): OperatorError {
  return new OperatorError(
    `cannot ${what}: this host is not enrolled; get a token from the server (penguindome enrollment token) and run penguindome-agent enroll --token-file FILE`,
    { exitCode: EXIT.notSetUp },
  );
}
