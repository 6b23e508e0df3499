import * as v from 'valibot';
import type { Clock, Random } from '../core/world.ts';
import { importPublicKey, type SigningKey } from '../crypto/ed25519.ts';
import { signRequest, verifyAnswer } from '../crypto/http-signature.ts';
import { contentDigest } from '../wire/v2/digest.ts';
import {
  ANSWER_KEY_HEADER,
  type PresentedSignature,
  readAnswerSignatures,
  SEQUENCE_HEADER,
} from '../wire/v2/http-signature.ts';
import { type RefusalAnswer, refusalAnswer } from '../wire/v2/messages.ts';
import type { AnswerKeys } from './answer-keys.ts';
import type { Connection, HttpAnswer } from './connection.ts';
import { isProblemCode, RequestProblem } from './problem.ts';
import { type Memory, takeSequence } from './submitter-state.ts';

export interface Speaker {
  connection: Connection;
  key: SigningKey;
  /** those that may sign the server's answers */
  answerKeys: AnswerKeys;
  memory: Memory;
  clock: Clock;
  random: Random;
}

/** An answer that the server signed for exactly this request. */
export type Answer =
  | { outcome: 'ok'; content: unknown }
  | { outcome: 'refused'; status: number; refusal: RefusalAnswer };

/** Below this gzip gains nothing. */
const WORTH_GZIP = 1024;
/** Refused as replayed, told the number to go on from, and refused again: then something else is wrong. */
const MOST_REPLAYS = 3;

/**
 * Sends one signed message and gives back what the server signed in answer. Each attempt has a sequence number of its own,
 * on disk before it is sent. `replayed` is settled here: the numbers go on from the last one that the server knows.
 * @param largest bytes that the answer may hold, where that is more than usual
 * @throws RequestProblem where there is no answer, or none that verifies: it says nothing then about what the server did
 */
export async function exchange(speaker: Speaker, path: string, message: object, largest?: number): Promise<Answer> {
  const encoded = await encode(message);
  for (let attempt = 1; ; attempt++) {
    const answer = await attemptOnce(speaker, path, encoded, largest);
    if (answer.outcome === 'ok' || answer.refusal.error !== 'replayed' || attempt === MOST_REPLAYS) return answer;
    if (answer.refusal.last === undefined) return answer;
    await speaker.memory.keep({ sequence: answer.refusal.last });
  }
}

/** What a refusal means for everything that this host could ask now. */
export function problemIn({ refusal, status }: Extract<Answer, { outcome: 'refused' }>, clock: Clock): RequestProblem {
  if (refusal.error === 'clock-skew') {
    const agentTime = clock.now().toISOString();
    const serverTime = refusal.time ?? 'unknown';
    return new RequestProblem('clock-skew', `clock is wrong: this host says ${agentTime}, the server ${serverTime}`, {
      agentTime,
      serverTime,
    });
  }
  if (status >= 500 || status === 429 || status === 408) return new RequestProblem('busy', refusal.reason);
  return new RequestProblem(isProblemCode(refusal.error) ? refusal.error : 'refused', refusal.reason);
}

interface Encoded {
  body: Uint8Array;
  headers: Record<string, string>;
}

async function encode(message: object): Promise<Encoded> {
  const text = Buffer.from(JSON.stringify(message));
  const headers = { 'Content-Type': 'application/json' };
  if (text.length < WORTH_GZIP) return { body: text, headers };
  const { gzipSync } = await import('node:zlib');
  return { body: gzipSync(text), headers: { ...headers, 'Content-Encoding': 'gzip' } };
}

async function attemptOnce(
  speaker: Speaker,
  path: string,
  { body, headers }: Encoded,
  largest: number | undefined,
): Promise<Answer> {
  const { connection, key, memory, clock, random } = speaker;
  const sequence = String(await takeSequence(memory, clock));
  const parts = { method: 'POST', path, authority: connection.authority, contentDigest: contentDigest(body), sequence };
  const signed = signRequest(key, parts, {
    created: Math.floor(clock.now().getTime() / 1000),
    nonce: Buffer.from(random.bytes(16)).toString('base64url'),
  });
  const { number } = speaker.answerKeys.newest();
  const received = await connection.post(
    path,
    {
      ...headers,
      ...(number === 0 ? {} : { [ANSWER_KEY_HEADER]: String(number) }),
      'Content-Digest': parts.contentDigest,
      [SEQUENCE_HEADER]: sequence,
      'Signature-Input': signed['signature-input'],
      Signature: signed.signature,
    },
    body,
    largest,
  );
  return readAnswer(speaker, received, { path, contentDigest: parts.contentDigest, sequence, signature: signed.bytes });
}

interface AnsweredRequest {
  path: string;
  contentDigest: string;
  sequence: string;
  signature: Uint8Array;
}

async function readAnswer(speaker: Speaker, received: HttpAnswer, request: AnsweredRequest): Promise<Answer> {
  const { status } = received;
  const verified = await verify(speaker, received, request);
  if (!verified.ok) throw unverified(status, verified.why);
  const content = parse(received.body);
  if (status === 200) return { outcome: 'ok', content };
  const refusal = v.safeParse(refusalAnswer, content);
  if (!refusal.success) throw new RequestProblem('refused', `cannot understand the server's answer (status ${status})`);
  return { outcome: 'refused', status, refusal: refusal.output };
}

/** What nobody signed may still say "later"; nothing else of it counts. */
function unverified(status: number, why: string | undefined): RequestProblem {
  if (status >= 500 || status === 429) {
    return new RequestProblem('busy', `cannot hand over reports now: the server answers ${status}`);
  }
  const because = why === undefined ? '' : `: ${why}`;
  return new RequestProblem(
    'unverified',
    `cannot act on an answer that the server did not sign (status ${status})${because}`,
  );
}

type Verified = { ok: true } | { ok: false; why?: string | undefined };

/** One signature by a key that counts is enough. */
async function verify(
  speaker: Speaker,
  { status, headers, body }: HttpAnswer,
  request: AnsweredRequest,
): Promise<Verified> {
  const { answerKeys, memory } = speaker;
  const digest = contentDigest(body);
  if (headers['content-digest'] !== digest) return { ok: false };
  const signatures = readAnswerSignatures(single(headers['signature-input']), single(headers['signature']));
  let why = await learnNewest(speaker, signatures);
  for (const presented of signatures) {
    const { keyid, created } = presented.parameters;
    // The number used last holds the latest time that this host has seen: a clock that is set back brings no ended key back.
    const judged = answerKeys.judge(keyid, new Date(Math.max(created * 1000, memory.state.sequence / 1000)));
    if (judged.ok) {
      const parts = { status, contentDigest: digest, request };
      if (verifyAnswer(importPublicKey(judged.key), parts, presented)) return { ok: true };
    } else if (judged.reason === 'ended') {
      why ??= `it is by a key that was replaced; this host knows number ${answerKeys.newest().number}`;
    }
  }
  return { ok: false, why };
}

/**
 * The server may have another key by now: asked for once in a run, and only where an answer says so.
 * @returns why that key is still unknown; undefined where it is not
 */
async function learnNewest(
  { answerKeys, connection, clock }: Speaker,
  [newest]: readonly PresentedSignature[],
): Promise<string | undefined> {
  if (newest === undefined) return undefined;
  const { keyid } = newest.parameters;
  const isUnknown = () => {
    const judged = answerKeys.judge(keyid, clock.now());
    return !judged.ok && judged.reason === 'unknown';
  };
  if (!isUnknown()) return undefined;
  const learned = await answerKeys.learn(connection, keyid);
  if (!isUnknown()) return undefined;
  return `it is by a key that this host does not know: ${learned.ok ? 'the server does not show it' : learned.reason}`;
}

function single(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
