import type { Middleware } from 'koa';
import type { GuardedEndpoint } from '../../core/access.ts';
import { Refusal } from '../../core/errors.ts';
import { clientAddress } from '../client-address.ts';
import { type LoginDeps, logIn } from '../login/log-in.ts';

/** Who comes from an address that lets in, or knows a password. An endpoint of which the settings say nothing is nobody's. */
export function authenticate(deps: LoginDeps, endpoint: GuardedEndpoint): Middleware {
  return async function authenticate(ctx, next) {
    const { configured, holds } = deps.access().endpoint(endpoint);
    const remote = clientAddress.take(ctx);
    if (!configured) {
      throw new Refusal('access-not-configured', 'cannot let anybody in here: the server has not been told whom', {
        detail: `server_auth.${endpoint} is not set`,
      });
    }
    if (holds(remote)) deps.log.event('login.by-address', { endpoint, remote });
    else await logIn(deps, ctx, endpoint);
    await next();
  };
}
