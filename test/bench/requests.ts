import type { SigningKey } from '../../src/crypto/ed25519.ts';
import { signRequest } from '../../src/crypto/http-signature.ts';
import { contentDigest } from '../../src/wire/v2/digest.ts';
import { SUBMIT } from '../../src/wire/v2/paths.ts';

interface Speaker {
  hostname: string;
  key: SigningKey;
  chain: string;
}

interface Circumstances {
  /** `localhost:8443` */
  authority: string;
  now: Date;
  submission: string;
  nonce: string;
  /** whether the connection ends with the answer */
  close: boolean;
}

/** A quiet host's whole HTTP request. */
export function checkInRequest(host: Speaker & { digest: string }, circumstances: Circumstances): Buffer {
  return submitRequest(host, { digest: host.digest }, circumstances);
}

/** @param content what the submission holds beside what every one does */
export function submitRequest(
  host: Speaker,
  content: object,
  { authority, now, submission, nonce, close }: Circumstances,
): Buffer {
  const { hostname, chain } = host;
  const body = Buffer.from(
    JSON.stringify({ submission, chain, hostname, collected_at: now.toISOString(), ...content }),
  );
  const sequence = String(now.getTime() * 1000);
  const parts = { method: 'POST', path: SUBMIT, authority, contentDigest: contentDigest(body), sequence };
  const signature = signRequest(host.key, parts, { created: Math.floor(now.getTime() / 1000), nonce });
  return httpRequest(SUBMIT, body, {
    Host: authority,
    ...(close ? { Connection: 'close' } : {}),
    'Content-Type': 'application/json',
    'Content-Digest': parts.contentDigest,
    'Penguindome-Sequence': sequence,
    'Signature-Input': signature['signature-input'],
    Signature: signature.signature,
  });
}

export function httpRequest(path: string, body: Buffer, headers: Record<string, string>): Buffer {
  const lines = Object.entries({ ...headers, 'Content-Length': String(body.length) });
  return Buffer.concat([
    Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`),
    body,
  ]);
}
