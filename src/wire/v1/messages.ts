/** What an original PenguinDome client says in `data` (docs/protocol-v1.md). Unknown fields are ignored. */
import * as v from 'valibot';
import { isHostname } from '../../core/host.ts';
import { type Fields, isFields } from '../../core/value.ts';
import { parseInstant } from '../dates.ts';

const hostname = v.pipe(v.string(), v.check(isHostname, 'expected a host name'));
const fields = v.custom<Fields>(isFields, 'expected an object');
const instant = v.pipe(
  v.string(),
  v.check((text) => parseInstant(text) !== undefined, 'expected an ISO 8601 time with an offset'),
  v.transform((text) => parseInstant(text) ?? new Date(Number.NaN)),
);

/** The original's `[-\w]+`, where Python's \w knows all alphabets. */
const COMMAND_NAME = /^[-_\p{L}\p{N}]{1,255}$/u;

const isCommands = (value: unknown): value is Fields =>
  isFields(value) && Object.entries(value).every(([name, result]) => COMMAND_NAME.test(name) && isFields(result));

export const submitRequest = v.object({
  hostname,
  collected_at: v.optional(instant),
  /** plugin name → any JSON */
  plugins: v.optional(fields),
  /** command name → its result */
  commands: v.optional(v.custom<Fields>(isCommands, 'expected command names and their results')),
});
export type SubmitRequest = v.InferOutput<typeof submitRequest>;

export const updateRequest = v.object({
  hostname,
  /** 0: none */
  old_release: v.pipe(v.number(), v.integer(), v.minValue(0)),
});
export type UpdateRequest = v.InferOutput<typeof updateRequest>;

export const acknowledgePatchRequest = v.object({
  hostname,
  id: v.pipe(v.string(), v.regex(/^[0-9a-f]{24}$/i, 'expected 24 hex digits'), v.toLowerCase()),
});
export type AcknowledgePatchRequest = v.InferOutput<typeof acknowledgePatchRequest>;
