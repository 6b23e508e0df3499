import * as v from 'valibot';
import type { Clock, Random } from '../core/world.ts';
import { importPublicKey, keyIdOf, type SigningKey } from '../crypto/ed25519.ts';
import { signRequest, verifyAnswer } from '../crypto/http-signature.ts';
import { contentDigest } from '../wire/v2/digest.ts';
import { ANSWER_COMPONENTS, readSignature, SEQUENCE_HEADER } from '../wire/v2/http-signature.ts';
import { type RefusalAnswer, refusalAnswer } from '../wire/v2/messages.ts';
import type { Connection, HttpAnswer } from './connection.ts';
import { isProblemCode, RequestProblem } from './problem.ts';
import { type Memory, takeSequence } from './submitter-state.ts';

export interface Speaker {
  connection: Connection;
  key: SigningKey;
  /** raw Ed25519 key (base64) that signs the server's answers */
  answerKey: string;
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
 * @throws RequestProblem where there is no answer, or none that verifies: it says nothing then about what the server did
 */
export async function exchange(speaker: Speaker, path: string, message: object): Promise<Answer> {
  const encoded = await encode(message);
  for (let attempt = 1; ; attempt++) {
    const answer = await attemptOnce(speaker, path, encoded);
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

async function attemptOnce(speaker: Speaker, path: string, { body, headers }: Encoded): Promise<Answer> {
  const { connection, key, memory, clock, random } = speaker;
  const sequence = String(await takeSequence(memory, clock));
  const parts = { method: 'POST', path, authority: connection.authority, contentDigest: contentDigest(body), sequence };
  const signed = signRequest(key, parts, {
    created: Math.floor(clock.now().getTime() / 1000),
    nonce: Buffer.from(random.bytes(16)).toString('base64url'),
  });
  const received = await connection.post(
    path,
    {
      ...headers,
      'Content-Digest': parts.contentDigest,
      [SEQUENCE_HEADER]: sequence,
      'Signature-Input': signed['signature-input'],
      Signature: signed.signature,
    },
    body,
  );
  return readAnswer(speaker, received, { path, contentDigest: parts.contentDigest, sequence, signature: signed.bytes });
}

interface AnsweredRequest {
  path: string;
  contentDigest: string;
  sequence: string;
  signature: Uint8Array;
}

function readAnswer(speaker: Speaker, received: HttpAnswer, request: AnsweredRequest): Answer {
  const { status } = received;
  if (!isSigned(speaker.answerKey, received, request)) throw unsigned(status);
  const content = parse(received.body);
  if (status === 200) return { outcome: 'ok', content };
  const refusal = v.safeParse(refusalAnswer, content);
  if (!refusal.success) throw new RequestProblem('refused', `cannot understand the server's answer (status ${status})`);
  return { outcome: 'refused', status, refusal: refusal.output };
}

/** What nobody signed may still say "later"; nothing else of it counts. */
function unsigned(status: number): RequestProblem {
  if (status >= 500 || status === 429) {
    return new RequestProblem('busy', `cannot hand over reports now: the server answers ${status}`);
  }
  return new RequestProblem('unverified', `cannot act on an answer that the server did not sign (status ${status})`);
}

function isSigned(answerKey: string, { status, headers, body }: HttpAnswer, request: AnsweredRequest): boolean {
  const digest = contentDigest(body);
  if (headers['content-digest'] !== digest) return false;
  const presented = readSignature(single(headers['signature-input']), single(headers['signature']), ANSWER_COMPONENTS);
  if (presented === undefined || presented.parameters.keyid !== keyIdOf(answerKey)) return false;
  return verifyAnswer(importPublicKey(answerKey), { status, contentDigest: digest, request }, presented);
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
