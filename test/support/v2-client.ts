import { randomBytes } from 'node:crypto';
import type { Agent } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Token } from '../../src/core/enrollment.ts';
import type { Digest, HostId, KeyId } from '../../src/core/host.ts';
import { generateSigningKey, importPublicKey, loadSigningKey, type SigningKey } from '../../src/crypto/ed25519.ts';
import { signRequest, verifyAnswer } from '../../src/crypto/http-signature.ts';
import { tokenHash } from '../../src/server/enrollment/admit-token.ts';
import type { Store } from '../../src/store/port.ts';
import { bodyDigest, contentDigest, listDigest } from '../../src/wire/v2/digest.ts';
import { ANSWER_COMPONENTS, authorityOf, readSignature } from '../../src/wire/v2/http-signature.ts';
import { ENROLL, ROTATE, SUBMIT, UPDATE } from '../../src/wire/v2/paths.ts';
import { rotationStatement } from '../../src/wire/v2/rotation.ts';
import { type HttpAnswer, httpRequest } from './http.ts';
import { realRandom } from './world.ts';

export interface V2Answer extends HttpAnswer {
  /** the body, where it is an object of JSON */
  json: Record<string, unknown>;
  /** whether the server's answer key signed it, bound to this request */
  verified: boolean;
}

/** What to do otherwise than a good client does. */
export interface Tweaks {
  /** milliseconds added to `created` */
  createdOff?: number;
  sequence?: number;
  contentDigest?: string;
  contentType?: string;
  /** sent and signed instead of the message's JSON */
  raw?: Uint8Array;
  gzip?: boolean;
  /** another key signs, under the own key's id */
  signer?: SigningKey;
  /** sent without a signature */
  unsigned?: boolean;
  headers?: Record<string, string>;
  /** last word on the headers, after signing */
  mangle?: (headers: Record<string, string>) => void;
}

/** A report as body name → value, such as `plugins.os_info`. */
export type Report = Record<string, unknown>;

export interface V2Client {
  hostname: string;
  key: SigningKey;
  /** of the last acknowledgement that `submit` got */
  chain: string | null;
  /** the next request's number, unless a tweak says otherwise */
  nextSequence(): number;
  send(path: string, message: unknown, tweaks?: Tweaks): Promise<V2Answer>;
  enroll(secret: string, options?: { hostname?: string; tweaks?: Tweaks }): Promise<V2Answer>;
  /** The whole report, or (`quiet`) its digest alone; keeps the chain of a good answer. */
  submit(
    report: Report,
    options?: { quiet?: boolean; submission?: string; chain?: string | null; extra?: object; tweaks?: Tweaks },
  ): Promise<V2Answer>;
  update(tweaks?: Tweaks): Promise<V2Answer>;
  /** Asks that this key takes over; it is not used yet. */
  rotate(next: SigningKey, options?: { host_id?: string; old_key?: KeyId; prover?: SigningKey }): Promise<V2Answer>;
  /** From here on it signs with this key. */
  use(key: SigningKey): void;
}

export function v2Client({
  url,
  answerKey,
  hostname,
  ca,
  agent,
  key: first = loadSigningKey(generateSigningKey()),
}: {
  url: string;
  answerKey: Pick<SigningKey, 'publicKey'>;
  hostname: string;
  ca?: string;
  agent?: Agent;
  /** a new one where it is not given */
  key?: SigningKey;
}): V2Client {
  let key = first;
  let hostId = '';
  const trusted = importPublicKey(answerKey.publicKey);
  let last = 0;
  const nextSequence = (): number => {
    last = Math.max(last + 1, Date.now() * 1000);
    return last;
  };

  async function send(path: string, message: unknown, tweaks: Tweaks = {}): Promise<V2Answer> {
    const plain = tweaks.raw ?? Buffer.from(JSON.stringify(message));
    const body = tweaks.gzip ? gzipSync(plain) : plain;
    const parts = {
      method: 'POST',
      path,
      authority: authorityOf(url.startsWith('https:') ? 'https' : 'http', new URL(url).host),
      contentDigest: tweaks.contentDigest ?? contentDigest(body),
      sequence: String(tweaks.sequence ?? nextSequence()),
    };
    const created = Math.floor((Date.now() + (tweaks.createdOff ?? 0)) / 1000);
    const signer = tweaks.signer === undefined ? key : { ...tweaks.signer, id: key.id };
    const signed = signRequest(signer, parts, { created, nonce: randomBytes(16).toString('base64url') });
    const headers: Record<string, string> = {
      'content-type': tweaks.contentType ?? 'application/json',
      'content-length': String(body.length),
      ...(tweaks.gzip ? { 'content-encoding': 'gzip' } : {}),
      ...(tweaks.unsigned
        ? {}
        : {
            'content-digest': parts.contentDigest,
            'penguindome-sequence': parts.sequence,
            'signature-input': signed['signature-input'],
            signature: signed.signature,
          }),
      ...tweaks.headers,
    };
    tweaks.mangle?.(headers);
    const answer = await httpRequest(url + path, {
      method: 'POST',
      headers,
      body,
      ...(ca === undefined ? {} : { ca }),
      ...(agent === undefined ? {} : { agent }),
    });
    const request = { path, contentDigest: parts.contentDigest, sequence: parts.sequence, signature: signed.bytes };
    return { ...answer, json: parse(answer.body), verified: isVerified(answer, request) };
  }

  function isVerified(
    { status, headers, body }: HttpAnswer,
    request: { path: string; contentDigest: string; sequence: string; signature: Uint8Array },
  ): boolean {
    const presented = readSignature(text(headers['signature-input']), text(headers['signature']), ANSWER_COMPONENTS);
    const digest = contentDigest(body);
    return (
      presented !== undefined &&
      headers['content-digest'] === digest &&
      verifyAnswer(trusted, { status, contentDigest: digest, request }, presented)
    );
  }

  const client: V2Client = {
    hostname,
    get key() {
      return key;
    },
    use: (next) => {
      key = next;
    },
    rotate(next, { host_id = hostId, old_key = key.id, prover = next } = {}) {
      const { publicKey: public_key } = next;
      const statement = rotationStatement({ host_id: host_id as HostId, old_key, public_key });
      const proof = Buffer.from(prover.sign(statement)).toString('base64');
      return send(ROTATE, { public_key, proof, agent: 'test' });
    },
    chain: null,
    nextSequence,
    send,
    async enroll(secret, options = {}) {
      const answer = await send(
        ENROLL,
        { token: secret, public_key: key.publicKey, hostname: options.hostname ?? hostname, agent: 'test' },
        options.tweaks,
      );
      if (typeof answer.json['host_id'] === 'string') hostId = answer.json['host_id'];
      return answer;
    },
    async submit(report, { quiet = false, submission = realRandom.uuid(), chain, extra = {}, tweaks } = {}) {
      const { list, bodies } = digestsOf(report);
      const message = {
        submission,
        chain: chain === undefined ? client.chain : chain,
        hostname,
        collected_at: new Date().toISOString(),
        digest: listDigest(list),
        ...(quiet ? {} : { list, bodies }),
        ...extra,
      };
      const answer = await send(SUBMIT, message, tweaks);
      if (answer.status === 200 && typeof answer.json['chain'] === 'string') client.chain = answer.json['chain'];
      return answer;
    },
    update: (tweaks) => send(UPDATE, { hostname, release: 0 }, tweaks),
  };
  return client;
}

/** A client that has enrolled with a token that approves at once. */
export async function enrolledClient(
  server: { url: string; answerKey: Pick<SigningKey, 'publicKey'>; store: Store },
  hostname: string,
): Promise<V2Client> {
  const client = v2Client({ ...server, hostname });
  const answer = await client.enroll(await makeToken(server.store));
  if (answer.json['status'] !== 'approved') throw new Error(`cannot enrol ${hostname}: ${answer.body}`);
  return client;
}

/** @returns the secret */
export async function makeToken(store: Store, options: Partial<Token> = {}): Promise<string> {
  const secret = randomBytes(24).toString('base64url');
  const now = Date.now();
  await store.tokens.insert({
    id: realRandom.uuid(),
    hash: tokenHash(secret),
    created_at: new Date(now),
    expires_at: new Date(now + 3_600_000),
    uses: 10,
    used_by: [],
    approve: true,
    ...options,
  });
  return secret;
}

export function digestsOf(report: Report): { list: Record<string, Digest>; bodies: Record<string, unknown> } {
  const list: Record<string, Digest> = {};
  const bodies: Record<string, unknown> = {};
  for (const [name, body] of Object.entries(report)) {
    const digest = bodyDigest(body);
    list[name] = digest;
    bodies[digest] = body;
  }
  return { list, bodies };
}

function parse(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function text(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}
