/**
 * What the processes of one server say to each other, over the channel that node:cluster gives.
 * The *primary* starts and ends the others, and holds nothing of requests; *workers* answer requests; the *writer* writes the embedded store.
 */
import * as z from 'zod';

const tickets = z.object({ present: z.string(), previous: z.string().optional() });

/** What a worker is, as the status line tells it. */
const state = z.object({
  requests: z.number(),
  refused: z.number(),
  store: z.enum(['up', 'maintenance', 'down']),
  /** why the store is not up */
  reason: z.string().optional(),
});
export type WorkerState = z.output<typeof state>;

const attempt = z.object({ address: z.string(), user: z.string() });

export const fromProcess = z.discriminatedUnion('kind', [
  /** it can be told to begin */
  z.object({ kind: z.literal('awake') }),
  /** the store is not there yet */
  z.object({ kind: z.literal('waiting'), reason: z.string() }),
  /** it does its work; ports: how many it has open */
  z.object({ kind: z.literal('ready'), ports: z.number() }),
  /** it cannot begin, and waits to be ended */
  z.object({ kind: z.literal('failed'), message: z.string(), exitCode: z.number() }),
  /** answers a ping, and tells of a change */
  z.object({ kind: z.literal('alive'), state: state.optional() }),
  /** reason: why it did not take over what was loaded; all is as it was then */
  z.object({ kind: z.literal('applied'), ports: z.number(), reason: z.string().optional() }),
  z.object({ kind: z.literal('take'), id: z.number(), address: z.string(), rate: z.number() }),
  z.object({ kind: z.literal('login'), id: z.number(), attempt }),
  z.object({ kind: z.literal('login-ended'), attempt, outcome: z.enum(['passed', 'failed', 'abandoned']) }),
  z.object({ kind: z.literal('deprecated'), hostname: z.string(), open: z.boolean() }),
]);
export type FromProcess = z.output<typeof fromProcess>;

const begin = z.object({
  kind: z.literal('begin'),
  /** what was loaded of settings, certificates and checks: bin knows what it is */
  source: z.unknown(),
  tickets,
  workers: z.number(),
  first: z.boolean(),
  /** where the writer listens; absent where the store needs none */
  socket: z.string().optional(),
});
export type Begin = z.output<typeof begin>;

export const toProcess = z.discriminatedUnion('kind', [
  begin,
  z.object({ kind: z.literal('ping') }),
  /** only: not yet to take it over, but to give up the places that it needs; answered alike */
  z.object({ kind: z.literal('apply'), source: z.unknown(), only: z.literal('give-way').optional() }),
  z.object({ kind: z.literal('tickets'), tickets }),
  z.object({ kind: z.literal('taken'), id: z.number(), wait: z.number(), first: z.boolean() }),
  z.object({ kind: z.literal('admitted'), id: z.number(), wait: z.number(), first: z.boolean() }),
  z.object({ kind: z.literal('deprecated'), hostname: z.string(), open: z.boolean() }),
  /** finish what is under way, and end */
  z.object({ kind: z.literal('stop') }),
]);
export type ToProcess = z.output<typeof toProcess>;
