/** server/middleware/v2/verify-signature.ts with gpg for a verifier (see verify.ts). */
import type { Middleware } from 'koa';
import type { Keyring } from '../../../src/server/keyring.ts';
import { request } from '../../../src/server/middleware/v2/read-signature.ts';
import { hostname } from '../../../src/server/refuse.ts';
import { verifyByGpg } from './verify.ts';

export function verifySignature({ keyring }: { keyring: Keyring }): Middleware {
  return async function verifySignature(ctx, next) {
    const known = await keyring.find(request.take(ctx).keyId);
    if (known === undefined) throw new TypeError('cannot find the key of a prepared host');
    hostname.put(ctx, known.hostname);
    await verifyByGpg();
    await next();
  };
}
