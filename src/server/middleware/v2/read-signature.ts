import type { Context } from 'koa';
import { Refusal } from '../../../core/errors.ts';
import type { KeyId } from '../../../core/host.ts';
import {
  authorityOf,
  type PresentedSignature,
  REQUEST_COMPONENTS,
  type RequestParts,
  readSignature as readHeaders,
  SEQUENCE_HEADER,
} from '../../../wire/v2/http-signature.ts';
import { arrivalOf } from '../../arrival.ts';
import { slot } from '../../slot.ts';

/** What the request claims; nothing of it is verified yet. */
export interface PresentedRequest {
  parts: RequestParts;
  presented: PresentedSignature;
  keyId: KeyId;
  sequence: number;
}

export const request = slot<PresentedRequest>('signature');

const KEY_ID = /^[A-Za-z0-9_-]{43}$/;
const SEQUENCE = /^(?:0|[1-9]\d{0,15})$/;

export async function readSignature(ctx: Context, next: () => Promise<void>): Promise<void> {
  if (ctx.req.url !== ctx.path) throw new Refusal('bad-request', 'cannot take a query here');
  const read = readPresented(ctx);
  if (read === undefined) {
    throw new Refusal('bad-signature', 'cannot find the signature that this endpoint wants (docs/protocol.md)');
  }
  request.put(ctx, read);
  await next();
}

/** @returns undefined where a header is missing or malformed */
export function readPresented(ctx: Context): PresentedRequest | undefined {
  const presented = readHeaders(header(ctx, 'signature-input'), header(ctx, 'signature'), REQUEST_COMPONENTS);
  const contentDigest = header(ctx, 'content-digest');
  const sequence = header(ctx, SEQUENCE_HEADER);
  const authority = claimedAuthority(ctx);
  if (presented === undefined || contentDigest === undefined || sequence === undefined || authority === undefined) {
    return undefined;
  }
  const { keyid } = presented.parameters;
  if (!KEY_ID.test(keyid) || !SEQUENCE.test(sequence) || !Number.isSafeInteger(Number(sequence))) return undefined;
  return {
    parts: { method: ctx.method, path: ctx.path, authority, contentDigest, sequence },
    presented,
    keyId: keyid as KeyId,
    sequence: Number(sequence),
  };
}

function claimedAuthority(ctx: Context): string | undefined {
  const host = header(ctx, 'host');
  if (host === undefined) return undefined;
  const { scheme } = arrivalOf(ctx.req);
  const key = `${scheme} ${host}`;
  const known = authorities.get(key);
  if (known !== undefined) return known;
  const authority = readAuthority(scheme, host);
  if (authorities.size >= MOST_AUTHORITIES) authorities.clear();
  if (authority !== undefined && key.length <= LONGEST_KEPT) authorities.set(key, authority);
  return authority;
}

/** By scheme and host: a server is called by few names, and a URL takes its time to read. */
const authorities = new Map<string, string>();
const MOST_AUTHORITIES = 100;
const LONGEST_KEPT = 300;

function readAuthority(scheme: 'http' | 'https', host: string): string | undefined {
  try {
    return authorityOf(scheme, host);
  } catch {
    return undefined;
  }
}

function header(ctx: Context, name: string): string | undefined {
  const value = ctx.req.headers[name];
  return typeof value === 'string' ? value : undefined;
}
