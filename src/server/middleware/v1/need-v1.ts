import type { Middleware } from 'koa';
import { Refusal } from '../../../core/errors.ts';
import type { ServerSettings } from '../../../settings/server-settings.ts';

/** Protocol v1 is not there unless the settings say so: whoever holds the fleet's one key can speak for any host that is not on v2. */
export function needV1({ settings }: { settings: () => ServerSettings }): Middleware {
  return async function needV1(_ctx, next) {
    if (!settings().v1.enabled) {
      throw new Refusal('not-found', 'cannot find that here', { detail: 'v1.enabled is false' });
    }
    await next();
  };
}
