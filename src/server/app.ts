import Router from '@koa/router';
import Koa, { type Middleware } from 'koa';
import compose from 'koa-compose';
import { messageOf, Refusal } from '../core/errors.ts';
import * as v1 from '../wire/v1/paths.ts';
import * as v2 from '../wire/v2/paths.ts';
import { noteClientAddress } from './client-address.ts';
import type { ServerDeps } from './deps.ts';
import { answer } from './middleware/v1/answer.ts';
import { startedAt } from './refuse.ts';
import { type RouteDeps, routeDeps } from './route-deps.ts';
import { healthz, readyz } from './routes/health.ts';
import { acknowledgePatch } from './routes/v1/acknowledge-patch.ts';
import { downloadRelease } from './routes/v1/download-release.ts';
import { createPipe, notImplemented } from './routes/v1/not-implemented.ts';
import { submit as submitV1 } from './routes/v1/submit.ts';
import { update as updateV1 } from './routes/v1/update.ts';
import { enroll } from './routes/v2/enroll.ts';
import { files } from './routes/v2/files.ts';
import { keys } from './routes/v2/keys.ts';
import { results } from './routes/v2/results.ts';
import { rotate } from './routes/v2/rotate.ts';
import { submit } from './routes/v2/submit.ts';
import { update } from './routes/v2/update.ts';

export interface App {
  koa: Koa;
  figures(): Figures;
  /** Reads again what the app keeps of the store's: who has the issue `deprecated-port`. */
  refresh(): Promise<void>;
  /** Reads again who has orders to fetch: every second, for it is how soon a host learns of one. */
  refreshOrders(): Promise<void>;
}

/** Since the start. */
export interface Figures {
  requests: number;
  refused: number;
}

/** The endpoints: what each does is the list of its steps, in the order in which the protocol says them. */
export function createApp(deps: ServerDeps): App {
  const shared = routeDeps(deps);
  const router = new Router({ sensitive: true, strict: true });
  router.get('/healthz', ...healthz());
  router.get('/readyz', ...readyz(deps));
  // Composed once: the router would do so for each request.
  router.post(v2.ENROLL, compose(enroll(shared)));
  router.post(v2.SUBMIT, compose(submit(shared)));
  router.post(v2.ROTATE, compose(rotate(shared)));
  router.post(v2.UPDATE, compose(update(shared)));
  router.post(v2.FILES, compose(files(shared)));
  router.post(v2.RESULTS, compose(results(shared)));
  router.get(v2.KEYS, ...keys(shared));
  for (const prefix of v1.PREFIXES) routeV1(router, prefix, shared);

  const koa = new Koa();
  const figures = { requests: 0, refused: 0 };
  koa.use(count(figures));
  koa.use(noteClientAddress(deps));
  koa.use(router.routes());
  koa.use(answer(deps));
  koa.use(notFound(router, deps));
  koa.on('error', (error: unknown) => {
    if (!isDisconnect(error)) deps.log.event('request.failed', { reason: messageOf(error) });
  });
  return {
    koa,
    figures: () => ({ ...figures }),
    refresh: () => shared.ports.refresh(),
    refreshOrders: () => shared.queued.refresh(),
  };
}

function routeV1(router: Router, prefix: string, deps: RouteDeps): void {
  router.post(prefix + v1.SUBMIT, compose(submitV1(deps)));
  router.post(prefix + v1.UPDATE, compose(updateV1(deps)));
  router.post(prefix + v1.ACKNOWLEDGE_PATCH, ...acknowledgePatch(deps));
  router.get(prefix + v1.DOWNLOAD_RELEASE, ...downloadRelease(deps));
  router.post(prefix + v1.PIPE_CREATE, ...createPipe(deps));
  for (const path of v1.PIPES) router.post(prefix + path, ...notImplemented(deps));
}

function count(figures: Figures): Middleware {
  return async function count(ctx, next) {
    startedAt.put(ctx, performance.now());
    figures.requests++;
    await next();
    if (ctx.status >= 400) figures.refused++;
  };
}

const DISCONNECTS = ['ECONNRESET', 'EPIPE', 'ECANCELED', 'ERR_STREAM_PREMATURE_CLOSE'];

/** The caller went away: the port has logged it where a request was lost by it. */
function isDisconnect(error: unknown): boolean {
  return error instanceof Error && 'code' in error && DISCONNECTS.includes(String(error.code));
}

/** No route wanted it: the path is not ours, or the method is not the path's. */
function notFound(router: Router, { settings }: Pick<ServerDeps, 'settings'>): Middleware {
  const isV1 = (path: string): boolean => v1.PREFIXES.some((prefix) => path.startsWith(`${prefix}/`));
  return async function notFound(ctx) {
    if (isV1(ctx.path) && !settings().v1.enabled) throw new Refusal('not-found', 'cannot find that here');
    const { path } = router.match(ctx.path, ctx.method);
    const methods = path.flatMap((layer) => layer.methods);
    if (methods.length === 0) throw new Refusal('not-found', 'cannot find that here');
    ctx.set('Allow', methods.join(', '));
    throw new Refusal('method-not-allowed', `cannot do that here but with ${methods.join(' or ')}`);
  };
}
