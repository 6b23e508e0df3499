import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Context, Middleware } from 'koa';
import * as v from 'valibot';
import { Refusal } from '../../../core/errors.ts';
import type { Value } from '../../../core/value.ts';
import type { Clock } from '../../../core/world.ts';
import type { Limits } from '../../../settings/server-settings.ts';
import type { Store } from '../../../store/port.ts';
import { parseJson } from '../../../wire/json.ts';
import { firstProblem } from '../../first-problem.ts';
import type { Budget, Turnstile } from '../../limiter.ts';
import type { Slot } from '../../slot.ts';
import { spendSequence } from '../../spend-sequence.ts';
import { holdMore, rawBody } from '../limit-body.ts';
import { request } from './read-signature.ts';

const inflate = promisify(gunzip);

export interface DecodeDeps {
  limits: () => Limits;
  /** few bodies are inflated at a time, so that many bombs at once cost no more than a few */
  inflating: Turnstile;
  /** what is inflated stays until its request is answered, and a store may take its time */
  budget: Budget;
}

/** Content type and coding are the headers' affair: said before anything is verified, and a request without a body has none. */
export async function checkContentType(ctx: Context, next: () => Promise<void>): Promise<void> {
  const { 'content-type': type, 'content-encoding': coding = 'identity' } = ctx.req.headers;
  const json = type !== undefined && /^application\/json\s*(;|$)/i.test(type);
  if (!json && !(type === undefined && rawBody.take(ctx).length === 0)) {
    throw new Refusal('unsupported-type', 'cannot read anything but application/json');
  }
  if (!['gzip', 'identity'].includes(coding.toLowerCase())) {
    throw new Refusal('unsupported-type', 'cannot read any content coding but gzip');
  }
  await next();
}

/** Decodes a verified request. One that is malformed uses its sequence number up like any other (docs/protocol.md). */
export function decode<Schema extends v.GenericSchema>(
  { store, clock, ...deps }: DecodeDeps & { store: Store; clock: Clock },
  schema: Schema,
  message: Slot<v.InferOutput<Schema>>,
): Middleware {
  return async function decode(ctx, next) {
    try {
      message.put(ctx, await readMessage(ctx, schema, deps));
    } catch (refusal) {
      const { keyId, sequence } = request.take(ctx);
      await spendSequence({ store, clock }, { key_id: keyId, sequence });
      throw refusal;
    }
    await next();
  };
}

/** @throws Refusal: too large once inflated, no JSON, or not of this shape */
export async function readMessage<Schema extends v.GenericSchema>(
  ctx: Context,
  schema: Schema,
  { limits, inflating, budget }: DecodeDeps,
): Promise<v.InferOutput<Schema>> {
  const value = await inflating(() => readValue(ctx, limits(), budget));
  const parsed = v.safeParse(schema, value, { abortEarly: true });
  if (!parsed.success) throw new Refusal('bad-request', firstProblem(parsed.issues));
  return parsed.output;
}

async function readValue(ctx: Context, limits: Limits, budget: Budget): Promise<Value> {
  const bytes = await decompress(ctx, limits.decompressed);
  if (bytes !== rawBody.take(ctx)) holdMore(ctx, bytes.length, budget);
  const parsed = parseJson(bytes, {
    depth: limits.json_depth,
    keys: limits.json_keys,
  });
  if (!parsed.ok) throw new Refusal('bad-request', parsed.reason);
  return parsed.value;
}

async function decompress(ctx: Context, limit: number): Promise<Buffer> {
  const body = rawBody.take(ctx);
  if (ctx.req.headers['content-encoding']?.toLowerCase() !== 'gzip') return body;
  try {
    return await inflate(body, { maxOutputLength: limit });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
      throw new Refusal('too-large', `cannot take a body of more than ${limit} bytes once it is inflated`);
    }
    throw new Refusal('bad-request', 'cannot inflate the body as gzip');
  }
}
