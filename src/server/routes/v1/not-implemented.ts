import type { Middleware } from 'koa';
import { Refusal } from '../../../core/errors.ts';
import { authenticate } from '../../middleware/authenticate.ts';
import { answer } from '../../middleware/v1/answer.ts';
import { needV1 } from '../../middleware/v1/need-v1.ts';
import type { RouteDeps } from '../../route-deps.ts';

/** Pipes of protocol v1: known, and not served by this version. */
export function notImplemented(deps: RouteDeps): Middleware[] {
  return [answer(deps), needV1(deps), sayNotImplemented];
}

/** The one of them that begins a shell on a host. */
export function createPipe(deps: RouteDeps): Middleware[] {
  return [answer(deps), needV1(deps), authenticate(deps, 'pipe_create'), sayNotImplemented];
}

const sayNotImplemented: Middleware = async function sayNotImplemented() {
  throw new Refusal('not-implemented', 'cannot do that yet: this server has no pipes for v1 clients');
};
