import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { OperatorError } from '../core/errors.ts';
import { keyIdOf } from '../crypto/ed25519.ts';
import type { AgentSettings } from '../settings/agent-settings.ts';
import { type EnrollAnswer, enrollAnswer } from '../wire/v2/messages.ts';
import { ENROLL } from '../wire/v2/paths.ts';
import type { TokenContent } from '../wire/v2/token.ts';
import { openAnswerKeys } from './answer-keys.ts';
import { type Connection, connection } from './connection.ts';
import type { AgentContext } from './context.ts';
import { exchange, problemIn } from './exchange.ts';
import { EXIT } from './exit-codes.ts';
import { hostnameOf } from './hostname-of.ts';
import { readOrMakeIdentity, readOrMakeNext, useNext } from './identity.ts';
import { withLock } from './lock.ts';
import { limitsOf } from './open-speaker.ts';
import { makeFolder, makeSubmit, type Places } from './places.ts';
import { RequestProblem } from './problem.ts';
import { readFollowing } from './read-hostile.ts';
import { recordOf } from './submit.ts';
import { forIdentity, openMemory } from './submitter-state.ts';
import { pinnedKey, readTrust } from './trust.ts';
import { unlinkIfThere, writeAtomically } from './write-atomically.ts';
import { writeUrl } from './write-url.ts';

export interface Enrolling {
  places: Places;
  settings: AgentSettings;
  token: TokenContent;
  /** whether a host that is enrolled with another server may leave it */
  newServer: boolean;
  /** whether it comes as another one than it was: with a key that nobody has a copy of */
  newKey: boolean;
  world: Pick<AgentContext, 'clock' | 'random' | 'signal' | 'hostname' | 'version'>;
}

export type Enrolled = EnrollAnswer & { url: string; key_id: string; hostname: string };

const MACHINE_ID = '/etc/machine-id';

/**
 * Makes this host known to the server. The key is on disk before the request leaves, and the same one is used ever after:
 * whatever is lost or crashes on the way, the same command with the same token ends in the same host id.
 */
export async function enroll(enrolling: Enrolling): Promise<Enrolled> {
  const { places, token, settings, world } = enrolling;
  const hostname = hostnameOf(settings, world.hostname);
  await makeSubmit(places);
  return withLock(places.submit.lock, 'enrol', async () => {
    const link = connection(token, limitsOf(settings), world.clock, world.signal);
    try {
      if (!enrolling.newServer) await refuseOtherServer(enrolling, link);
      const key = await (enrolling.newKey ? readOrMakeNext(places) : readOrMakeIdentity(places));
      const memory = await openMemory(places);
      const answerKeys = await openAnswerKeys(places, pinnedKey(token), world.clock);
      const speaker = { connection: link, key, answerKeys, memory, ...world };
      const answer = await exchange(speaker, ENROLL, {
        token: token.secret,
        public_key: key.publicKey,
        hostname,
        ...(await machineIdDigest()),
        agent: world.version,
      });
      if (answer.outcome === 'refused') throw problemIn(answer, world.clock);
      const parsed = v.safeParse(enrollAnswer, answer.content);
      if (!parsed.success)
        throw new RequestProblem('refused', "cannot understand the server's answer to the enrolment");
      await remember(enrolling, parsed.output);
      await forIdentity(memory, parsed.output.host_id, key.id);
      // The last step: cut off before it, the same command takes up the same key.
      if (enrolling.newKey) {
        // It was to take over from the key that goes now.
        await unlinkIfThere(places.rotatingIdentity);
        await useNext(places);
      }
      await memory.keep({ problem: parsed.output.status === 'pending' ? pendingAt(world.clock.now()) : null });
      return { ...parsed.output, url: token.url, key_id: key.id, hostname };
    } finally {
      link.close();
    }
  });
}

/**
 * A host leaves its server only when somebody says so: a token from elsewhere must not do it by itself. The same server may have
 * another answer key by now; then the one that this host trusts vouches for it.
 */
async function refuseOtherServer({ places, token, world }: Enrolling, link: Connection): Promise<void> {
  const trust = await readTrust(places);
  if (trust === undefined || trust.answer_key === token.answer_key) return;
  const known = await openAnswerKeys(places, pinnedKey(trust), world.clock);
  if (known.has(pinnedKey(token))) return;
  if (pinnedKey(token).number > known.newest().number) {
    const learned = await known.learn(link, keyIdOf(token.answer_key));
    if (!learned.ok && learned.problem !== undefined) throw learned.problem;
    if (known.has(pinnedKey(token))) return;
  }
  throw new OperatorError(
    `cannot enrol: this host is enrolled with ${trust.url}, and the token is for another server; add --new-server to leave the old one`,
    { exitCode: EXIT.failed },
  );
}

async function remember({ places, settings, token }: Enrolling, { host_id }: EnrollAnswer): Promise<void> {
  const { secret: _, ...trust } = token;
  await makeFolder(dirname(places.trust), 0o755);
  await writeAtomically(places.trust, `${JSON.stringify({ ...trust, host_id }, null, 2)}\n`, 0o644);
  if (settings.url !== token.url) await writeUrl(places.settings, token.url);
}

function pendingAt(at: Date) {
  return recordOf(new RequestProblem('pending', 'the enrolment waits for approval on the server'), at);
}

/** Tells a copied disk from the machine that it was copied from, without telling the machine's id. */
async function machineIdDigest(): Promise<{ machine_id_digest?: string }> {
  const id = (await readFollowing(MACHINE_ID, 1024).catch(() => undefined))?.toString('utf8').trim();
  if (id === undefined || !/^[0-9a-f]{32}$/.test(id)) return {};
  return { machine_id_digest: createHash('sha256').update(`penguindome:${id}`).digest('hex') };
}
