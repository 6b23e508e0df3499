import type { Middleware } from 'koa';
import { Refusal } from '../../../core/errors.ts';
import { verifyRequest } from '../../../crypto/http-signature.ts';
import type { Keyring } from '../../keyring.ts';
import { hostname } from '../../refuse.ts';
import { request } from './read-signature.ts';

export function verifySignature({ keyring }: { keyring: Keyring }): Middleware {
  return async function verifySignature(ctx, next) {
    const { keyId, parts, presented } = request.take(ctx);
    const known = await keyring.find(keyId);
    if (known === undefined) throw new Refusal('unknown-key', 'cannot find a host with this key; enrol it first');
    hostname.put(ctx, known.hostname);
    if (!verifyRequest(known.key, parts, presented)) {
      throw new Refusal('bad-signature', 'cannot verify the signature');
    }
    await next();
  };
}
