import type { Middleware } from 'koa';
import * as v from 'valibot';
import { Refusal } from '../../../core/errors.ts';
import type { Limits } from '../../../settings/server-settings.ts';
import type { Store } from '../../../store/port.ts';
import { parseJson } from '../../../wire/json.ts';
import { firstProblem } from '../../first-problem.ts';
import { hostname } from '../../refuse.ts';
import type { Slot } from '../../slot.ts';
import { form } from './read-form.ts';
import { replayedSignature } from './refuse-replay.ts';
import { signature } from './verify-signature.ts';

/** A replayed request is called that also where it would not fit this endpoint. */
export function decode<Schema extends v.GenericSchema<unknown, { hostname: string }>>(
  { store, limits }: { store: Store; limits: () => Limits },
  schema: Schema,
  message: Slot<v.InferOutput<Schema>>,
): Middleware {
  return async function decode(ctx, next) {
    const read = readMessage(form.take(ctx).data, schema, limits());
    if (read instanceof Refusal) {
      if (await store.signatures.knows(signature.take(ctx).id)) throw replayedSignature();
      throw read;
    }
    hostname.put(ctx, read.hostname);
    message.put(ctx, read);
    await next();
  };
}

function readMessage<Schema extends v.GenericSchema<unknown, { hostname: string }>>(
  data: string,
  schema: Schema,
  limits: Limits,
): v.InferOutput<Schema> | Refusal {
  const json = parseJson(Buffer.from(data), { depth: limits.json_depth, keys: limits.json_keys });
  if (!json.ok) return new Refusal('bad-request', json.reason);
  const parsed = v.safeParse(schema, json.value, { abortEarly: true });
  return parsed.success ? parsed.output : new Refusal('bad-request', firstProblem(parsed.issues));
}
