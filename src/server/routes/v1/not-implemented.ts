import type { Middleware } from 'koa';
import { Refusal } from '../../../core/errors.ts';
import { answer } from '../../middleware/v1/answer.ts';
import { needV1 } from '../../middleware/v1/need-v1.ts';
import type { RouteDeps } from '../../route-deps.ts';

/** Pipes and releases of protocol v1: known, and not served by this version. */
export function notImplemented(deps: RouteDeps): Middleware[] {
  return [answer(deps), needV1(deps), sayNotImplemented];
}

const sayNotImplemented: Middleware = async function sayNotImplemented() {
  throw new Refusal('not-implemented', 'cannot do that yet: this server has no releases and no pipes for v1 clients');
};
