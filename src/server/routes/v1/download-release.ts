import type { Middleware } from 'koa';
import { Refusal } from '../../../core/errors.ts';
import { authenticate } from '../../middleware/authenticate.ts';
import { answer } from '../../middleware/v1/answer.ts';
import { needV1 } from '../../middleware/v1/need-v1.ts';
import type { RouteDeps } from '../../route-deps.ts';

export function downloadRelease(deps: RouteDeps): Middleware[] {
  return [answer(deps), needV1(deps), authenticate(deps, 'download_release'), sayNoRelease];
}

const sayNoRelease: Middleware = async function sayNoRelease() {
  throw new Refusal('not-found', 'cannot find a release: there is none yet');
};
