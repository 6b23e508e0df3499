import { join } from 'node:path';
import * as v from 'valibot';
import { readHostile } from '../read-hostile.ts';
import { writeAtomically } from '../write-atomically.ts';
import { siteManifest } from './site-manifest.ts';

const digest = v.string();
const content = v.nullable(v.object({ sha256: digest, mode: v.number() }));

/** What a change does to one path below site/; null: there is nothing. `index` names the files that are staged for it. */
const changeStep = v.object({ path: v.string(), index: v.number(), before: content, after: content });
export type ChangeStep = v.InferOutput<typeof changeStep>;

/** A change of several files that are to be new together, or to stay. */
const siteChange = v.object({ steps: v.array(changeStep), was: siteManifest, becomes: siteManifest });
export type SiteChange = v.InferOutput<typeof siteChange>;

const captured = v.object({
  text: v.exactOptional(v.string()),
  base64: v.exactOptional(v.string()),
  bytes: v.number(),
  truncated: v.boolean(),
});

const ran = v.object({
  path: v.string(),
  exit_status: v.exactOptional(v.number()),
  signal: v.exactOptional(v.string()),
  /** why it counts as failed */
  reason: v.exactOptional(v.string()),
  duration_ms: v.number(),
  stdout: captured,
  stderr: captured,
});
/** What became of one command of an order. */
export type Ran = v.InferOutput<typeof ran>;

const steps = v.optional(v.array(v.string()), []);

const outcome = v.object({ state: v.picklist(['done', 'failed', 'refused']), reason: v.exactOptional(v.string()) });
/** How an order ended. */
export type Outcome = v.InferOutput<typeof outcome>;

/**
 * orders/ID/state.json: how far this host is with an order, so that whatever ends us, the next run goes on or says what was broken off.
 * `changing`: everything is staged, and the change goes on to its end. `undoing`: a step failed, and all of it goes back.
 * `changed`: all of it is in place. `starting`: its commands are to be started, or (`begun`) a wipe is to go on. `running`: one may have begun, and no run begins it again.
 * `ended`: what came of it is to be told. `settled`: it was told.
 */
const orderState = v.variant('phase', [
  v.object({ phase: v.literal('changing'), change: siteChange }),
  v.object({ phase: v.literal('undoing'), change: siteChange, reason: v.string() }),
  v.object({ phase: v.literal('changed'), steps }),
  v.object({
    phase: v.literal('starting'),
    steps,
    waits_for: v.exactOptional(v.string()),
    begun: v.exactOptional(v.boolean()),
  }),
  v.object({ phase: v.literal('running'), steps, boot: v.string(), ran: v.array(ran), path: v.string() }),
  v.object({ phase: v.literal('ended'), steps, outcome, ran: v.array(ran) }),
  v.object({ phase: v.literal('settled') }),
]);
export type OrderState = v.InferOutput<typeof orderState>;
export type Ended = Extract<OrderState, { phase: 'ended' }>;

const LARGEST = 64 * 1024 * 1024;

/** @returns undefined where nothing has been done with the order @throws where it is damaged: then nobody knows what was done */
export async function readOrderState(folder: string): Promise<OrderState | undefined> {
  const path = join(folder, 'state.json');
  const bytes = await readHostile(path, LARGEST);
  if (bytes === undefined) return undefined;
  try {
    return v.parse(orderState, JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw new Error(`cannot use ${path}: it is damaged`, { cause });
  }
}

export async function writeOrderState(folder: string, state: OrderState): Promise<void> {
  await writeAtomically(join(folder, 'state.json'), `${JSON.stringify(state)}\n`, 0o600);
}
