import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { Middleware } from 'koa';
import type { Patch } from '../../../core/patch.ts';
import { newestV1Release } from '../../../settings/v1-releases.ts';
import { type UpdateRequest, updateRequest } from '../../../wire/v1/messages.ts';
import { limitBody } from '../../middleware/limit-body.ts';
import { needStore } from '../../middleware/need-store.ts';
import { noteDeprecatedPort } from '../../middleware/note-deprecated-port.ts';
import { answer, reply } from '../../middleware/v1/answer.ts';
import { decode } from '../../middleware/v1/decode.ts';
import { needV1 } from '../../middleware/v1/need-v1.ts';
import { readForm } from '../../middleware/v1/read-form.ts';
import { refuseDowngrade } from '../../middleware/v1/refuse-downgrade.ts';
import { refuseReplay } from '../../middleware/v1/refuse-replay.ts';
import { verifySignature } from '../../middleware/v1/verify-signature.ts';
import { elapsed } from '../../refuse.ts';
import type { RouteDeps } from '../../route-deps.ts';
import { slot } from '../../slot.ts';

const message = slot<UpdateRequest>('update request');

export function update(deps: RouteDeps): Middleware[] {
  return [
    answer(deps),
    needV1(deps),
    needStore(deps),
    limitBody(deps, 'bad-request'),
    needStore(deps),
    readForm,
    verifySignature(deps),
    decode(deps, updateRequest, message),
    refuseDowngrade(deps),
    refuseReplay(deps),
    noteDeprecatedPort(deps),
    replyUpdate(deps),
  ];
}

/** The newest release where this host's is older, and the patches that it still lacks. */
function replyUpdate({ store, settings, log }: RouteDeps): Middleware {
  return async function replyUpdate(ctx) {
    const { hostname, old_release } = message.take(ctx);
    const [lacking, newest] = await Promise.all([
      store.patches.pendingFor(hostname),
      newestV1Release(settings().state),
    ]);
    const pending = asManyAsFit(lacking);
    const release = newest !== undefined && newest.number > old_release ? newest : undefined;
    log.event('update.answered', {
      host: hostname,
      release: old_release,
      newer: release?.number,
      patches: pending.length,
      ms: elapsed(ctx),
    });
    const patches = pending.length === 0 ? {} : { patches: pending.map(({ id, files }) => ({ id, files })) };
    if (release === undefined) reply.put(ctx, { status: 'current', ...patches });
    else {
      ctx.type = 'json';
      reply.put(ctx, outOfDate(release.number, await release.openMessage(), patches));
    }
  };
}

/** Characters of base64; the client holds all of an answer in memory, and asks for the rest once it has acknowledged these. */
const LARGEST_CONTENT = 12 * 1024 * 1024;

function asManyAsFit(patches: readonly Patch[]): readonly Patch[] {
  let room = LARGEST_CONTENT;
  const end = patches.findIndex(({ files }, index) => {
    room -= files.reduce((sum, { content = '' }) => sum + content.length, 0);
    return index > 0 && room < 0;
  });
  return end === -1 ? patches : patches.slice(0, end);
}

/** As JSON, piece by piece: a whole fleet may come for a release within one minute. */
function outOfDate(number: number, message: FileHandle, patches: { patches?: object }): Readable {
  async function* pieces() {
    yield `{"status":"out-of-date","current_release":${number},"update":"`;
    // ASCII: no piece ends within a character
    for await (const piece of message.createReadStream({ encoding: 'latin1', autoClose: false })) {
      yield JSON.stringify(piece).slice(1, -1);
    }
    yield patches.patches === undefined ? '"}' : `","patches":${JSON.stringify(patches.patches)}}`;
  }
  return Readable.from(pieces(), { objectMode: false }).once('close', () => void message.close());
}
