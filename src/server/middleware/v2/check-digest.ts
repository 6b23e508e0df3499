import type { Context } from 'koa';
import { parseDictionary } from 'structured-headers';
import { Refusal } from '../../../core/errors.ts';
import { contentDigest } from '../../../wire/v2/digest.ts';
import { rawBody } from '../limit-body.ts';
import { request } from './read-signature.ts';

/** RFC 9530 section 2: one of possibly several digests of the body as sent; ours is sha-256. */
export async function checkDigest(ctx: Context, next: () => Promise<void>): Promise<void> {
  const claimed = request.take(ctx).parts.contentDigest;
  const actual = contentDigest(rawBody.take(ctx));
  if (claimed !== actual && !holds(claimed, actual)) {
    throw new Refusal('bad-digest', 'cannot take a body that is not the one of its Content-Digest');
  }
  await next();
}

/** The digest stands there in other words, or among others. */
function holds(header: string, actual: string): boolean {
  const [claimed, ours] = [claimedDigest(header), claimedDigest(actual)];
  return claimed !== undefined && ours !== undefined && Buffer.compare(claimed, ours) === 0;
}

function claimedDigest(header: string): Uint8Array | undefined {
  try {
    const value = parseDictionary(header).get('sha-256')?.[0];
    return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined;
  } catch {
    return undefined;
  }
}
