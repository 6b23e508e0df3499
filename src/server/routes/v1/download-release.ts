import type { Context, Middleware } from 'koa';
import { Refusal } from '../../../core/errors.ts';
import { newestV1Release, type V1Release } from '../../../settings/v1-releases.ts';
import { type ByteRange, readByteRange } from '../../byte-range.ts';
import { authenticate } from '../../middleware/authenticate.ts';
import { answer } from '../../middleware/v1/answer.ts';
import { needV1 } from '../../middleware/v1/need-v1.ts';
import { elapsed } from '../../refuse.ts';
import type { RouteDeps } from '../../route-deps.ts';
import { slot } from '../../slot.ts';

const release = slot<V1Release>('release');

export function downloadRelease(deps: RouteDeps): Middleware[] {
  return [
    answer(deps),
    needV1(deps),
    authenticate(deps, 'download_release'),
    findRelease(deps),
    replyUnchanged,
    sendRelease(deps),
  ];
}

function findRelease({ settings }: RouteDeps): Middleware {
  return async function findRelease(ctx, next) {
    const newest = await newestV1Release(settings().state);
    if (newest === undefined) throw new Refusal('not-found', 'cannot find a release: there is none yet');
    release.put(ctx, newest);
    await next();
  };
}

/** A release never changes: its number says which bytes they are. */
const tagOf = ({ number }: V1Release): string => `"${number}"`;
const dateOf = ({ number }: V1Release): string => new Date(number * 1000).toUTCString();

/** RFC 9110, 13.1.2: weak comparison. */
const replyUnchanged: Middleware = async function replyUnchanged(ctx, next) {
  const tag = tagOf(release.take(ctx));
  const held = ctx.get('If-None-Match').split(/\s*,\s*/);
  if (!held.some((each) => each === '*' || each.replace(/^W\//, '') === tag)) return next();
  ctx.set('ETag', tag);
  ctx.status = 304;
};

function sendRelease({ log }: RouteDeps): Middleware {
  return async function sendRelease(ctx) {
    const newest = release.take(ctx);
    const handle = await newest.openTar();
    try {
      const { size } = await handle.stat();
      const range = wantedRange(ctx, newest, size);
      ctx.set('Accept-Ranges', 'bytes');
      if (range === 'unsatisfiable') {
        ctx.set('Content-Range', `bytes */${size}`);
        throw new Refusal('range-not-satisfiable', `cannot send that range: the release has ${size} bytes`);
      }
      describe(ctx, newest, range, size);
      const length = range === 'whole' ? size : range.last - range.first + 1;
      log.event('release.sent', { release: newest.number, ...(range === 'whole' ? {} : range), ms: elapsed(ctx) });
      // The stream closes the handle, also when whoever asked goes away.
      if (ctx.method !== 'HEAD') {
        ctx.body = handle.createReadStream(range === 'whole' ? {} : { start: range.first, end: range.last });
      }
      ctx.length = length;
    } finally {
      if (ctx.body === undefined || ctx.body === null) await handle.close();
    }
  };
}

/** RFC 9110, 14.2: for GET alone; 13.1.5: where what is held is of another release, all of it. */
function wantedRange(ctx: Context, newest: V1Release, size: number): ByteRange | 'whole' | 'unsatisfiable' {
  const held = ctx.get('If-Range').trim();
  const stale = held !== '' && held !== tagOf(newest) && held !== dateOf(newest);
  return stale || ctx.method !== 'GET' ? 'whole' : readByteRange(ctx.get('Range'), size);
}

function describe(ctx: Context, newest: V1Release, range: ByteRange | 'whole', size: number): void {
  ctx.status = range === 'whole' ? 200 : 206;
  ctx.set('Content-Disposition', `attachment; filename=${newest.number}.tar`);
  ctx.set('ETag', tagOf(newest));
  ctx.set('Last-Modified', dateOf(newest));
  ctx.set('Cache-Control', 'private');
  ctx.type = 'application/tar';
  if (range !== 'whole') ctx.set('Content-Range', `bytes ${range.first}-${range.last}/${size}`);
}
