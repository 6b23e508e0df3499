import type { Middleware } from 'koa';
import { differences } from '../../../core/differences.ts';
import { Refusal } from '../../../core/errors.ts';
import { type Fields, isFields } from '../../../core/value.ts';
import { decodeDates } from '../../../wire/dates.ts';
import { type SubmitRequest, submitRequest } from '../../../wire/v1/messages.ts';
import { limitBody } from '../../middleware/limit-body.ts';
import { needStore } from '../../middleware/need-store.ts';
import { noteDeprecatedPort } from '../../middleware/note-deprecated-port.ts';
import { answer, reply } from '../../middleware/v1/answer.ts';
import { decode } from '../../middleware/v1/decode.ts';
import { needV1 } from '../../middleware/v1/need-v1.ts';
import { readForm } from '../../middleware/v1/read-form.ts';
import { downgraded, refuseDowngrade, storedHost } from '../../middleware/v1/refuse-downgrade.ts';
import { refuseReplay } from '../../middleware/v1/refuse-replay.ts';
import { verifySignature } from '../../middleware/v1/verify-signature.ts';
import { elapsed } from '../../refuse.ts';
import type { RouteDeps } from '../../route-deps.ts';
import { slot } from '../../slot.ts';
import { carryOver, isSettled, judgeReport } from '../../submission/judge-report.ts';
import { limitDocument } from '../../submission/limit-document.ts';

const message = slot<SubmitRequest>('submission');
const reported = slot<Reported>('report');

/** What there is to store; at least one of them holds something. */
interface Reported {
  plugins?: Fields;
  commands?: Fields;
}

export function submit(deps: RouteDeps): Middleware[] {
  return [
    answer(deps),
    needV1(deps),
    needStore(deps),
    limitBody(deps, 'bad-request'),
    needStore(deps),
    readForm,
    verifySignature(deps),
    decode(deps, submitRequest, message),
    readReport,
    refuseDowngrade(deps),
    refuseReplay(deps),
    storeReport(deps),
    noteDeprecatedPort(deps),
    replyOk,
  ];
}

const readReport: Middleware = async function readReport(ctx, next) {
  const { plugins, commands } = message.take(ctx);
  const parts = { ...reportedPart('plugins', plugins), ...reportedPart('commands', commands) };
  if (Object.keys(parts).length === 0) throw new Refusal('bad-request', 'cannot find anything to store');
  reported.put(ctx, parts);
  await next();
};

function reportedPart(name: keyof Reported, part: Fields | undefined): Reported {
  if (part === undefined || Object.keys(part).length === 0) return {};
  try {
    const decoded = decodeDates(part);
    return isFields(decoded) ? { [name]: decoded } : {};
  } catch (cause) {
    throw new Refusal('bad-request', 'cannot take a number that large', { cause });
  }
}

function storeReport(deps: RouteDeps): Middleware {
  return async function storeReport(ctx, next) {
    const { hostname, collected_at } = message.take(ctx);
    const parts = reported.take(ctx);
    deps.log.event('submit.accepted', { host: hostname, protocol: 'v1' });
    const host = storedHost.take(ctx);
    const at = deps.clock.now();
    const times = { submitted_at: at, ...(collected_at === undefined ? {} : { collected_at }) };
    const after = { ...host, hostname, ...times, ...stampedParts(parts, host?.commands, at) };
    const { suspended: _, ...active } = after;
    const checks = judgeReport({ judge: deps.judge(), log: deps.log }, active, at);
    limitDocument({ ...after, checks }, deps.limits().document, 'bad-request');
    const trail = differences(hostname, host, after, at);
    const settled = isSettled(checks, host);
    const stored = await deps.store.hosts.storeV1({
      hostname,
      at,
      ...(collected_at === undefined ? {} : { collected_at }),
      ...parts,
      checks,
      ...(settled && { settled }),
      trail,
    });
    if (!stored) throw await downgraded(deps, hostname);
    await carryOver(deps, hostname, { checks, previous: host?.checks, settled });
    deps.log.event('submit.stored', { host: hostname, protocol: 'v1', changed: trail.length, ms: elapsed(ctx) });
    await next();
  };
}

/** As the store will hold them: plugins replaced as a whole, commands one by one, each with the time at which it came. */
function stampedParts({ plugins, commands }: Reported, stored: Fields | undefined, at: Date): Reported {
  if (commands === undefined) return plugins === undefined ? {} : { plugins: { ...plugins, submitted_at: at } };
  const stamped = Object.fromEntries(
    Object.entries(commands).map(([name, result]) => [
      name,
      isFields(result) ? { ...result, submitted_at: at } : result,
    ]),
  );
  return {
    ...(plugins === undefined ? {} : { plugins: { ...plugins, submitted_at: at } }),
    commands: { ...stored, ...stamped },
  };
}

const replyOk: Middleware = async function replyOk(ctx) {
  reply.put(ctx, 'ok');
};
