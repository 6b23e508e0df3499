import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { minutes } from '../../core/duration.ts';
import { messageOf } from '../../core/errors.ts';
import {
  LARGEST_MANIFEST,
  type Manifest,
  type OrderDocument,
  readManifest,
  readOrderDocument,
} from '../../wire/v2/order.ts';
import { LARGEST_UPDATE_ANSWER, MOST_HELD, type UpdateAnswer, updateAnswer } from '../../wire/v2/order-messages.ts';
import { UPDATE } from '../../wire/v2/paths.ts';
import type { Speaking } from '../build-submission.ts';
import { exchange, problemIn, type Speaker } from '../exchange.ts';
import type { Places } from '../places.ts';
import { RequestProblem } from '../problem.ts';
import { listHostile, readHostile } from '../read-hostile.ts';
import { TEMPORARY, unlinkIfThere, writeAtomically } from '../write-atomically.ts';
import { fetchFile } from './fetch-file.ts';
import { TOLD, TRUST } from './inbox.ts';
import { readKnown } from './known.ts';
import { sha256Of } from './read-verified.ts';

type Where = Pick<Places, 'inbox' | 'results'>;

/** The server says `more` until it has said all; more often than this it makes no sense. */
const MOST_ROUNDS = 20;
/** What may lie in the inbox: the applier takes it out as soon as the submitter has ended. */
const MOST_ORDERS = 200;
const MOST_BYTES = 512 * 1024 * 1024;
/** Then reports have their turn again: what has come so far is kept, and the rest goes on from there. */
const LONGEST = minutes(5);

/** Puts what the server has for this host into the inbox, files by pieces. @returns how many orders came. The caller holds the submitter's lock. */
export async function fetchOrders(places: Where, speaker: Speaker, speaking: Speaking): Promise<number> {
  const { clock, memory } = speaker;
  const until = clock.now().getTime() + LONGEST;
  let came = 0;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const inbox = await readInboxOrders(places);
    const answer = await ask(places, speaker, speaking, [...inbox.keys()]);
    memory.note({ asked_at: clock.now().toISOString() });
    await keepTrust(places, answer);
    const fresh = await keepOrders(places, answer.orders ?? [], inbox);
    came += fresh;
    if (answer.more !== true || fresh === 0) break;
  }
  await fetchFiles(places, speaker, until);
  return came;
}

const TOO_LONG = 'cannot fetch all files of orders in one run: the next one goes on';

/** What was cut off before: also where the server has nothing new. */
async function fetchFiles(places: Where, speaker: Speaker, until: number): Promise<void> {
  const orders = await readInboxOrders(places);
  await tidy(places, orders);
  for (const [id, manifest] of orders) {
    for (const file of manifest?.files ?? []) {
      if (speaker.clock.now().getTime() >= until) throw new RequestProblem('orders', TOO_LONG);
      const fetched = await fetchFile(places, speaker, id, file);
      if (fetched === 'gone') {
        // The server has it no more: it was cancelled meanwhile.
        await unlinkIfThere(join(places.inbox, `${id}.json`));
        break;
      }
    }
  }
}

async function ask(
  places: Where,
  speaker: Speaker,
  { hostname, version }: Speaking,
  inbox: readonly string[],
): Promise<UpdateAnswer> {
  const { release, held, order_key, revocations } = await readKnown(places);
  const all = [...new Set([...held, ...inbox])].sort().slice(-MOST_HELD);
  const message = { hostname, release, held: all, order_key, revocations, agent: version };
  const answer = await exchange(speaker, UPDATE, message, LARGEST_UPDATE_ANSWER);
  if (answer.outcome === 'refused') throw problemIn(answer, speaker.clock);
  const parsed = v.safeParse(updateAnswer, answer.content);
  if (!parsed.success) throw new RequestProblem('refused', "cannot understand the server's answer about orders");
  return parsed.output;
}

/** What is news to the applier only. */
async function keepTrust(places: Where, { first_order_key, order_keys, revocations }: UpdateAnswer): Promise<void> {
  const known = await readKnown(places);
  const isNews = !known.has_order_key || (order_keys?.length ?? 0) > 0 || revocations !== undefined;
  if (!isNews || (first_order_key === undefined && order_keys === undefined && revocations === undefined)) return;
  const content = {
    ...(first_order_key === undefined ? {} : { first_order_key }),
    ...(order_keys === undefined ? {} : { order_keys }),
    ...(revocations === undefined ? {} : { revocations }),
  };
  const bytes = Buffer.from(`${JSON.stringify(content)}\n`);
  if (known.has_order_key && known.heard_keys === sha256Of(bytes)) return;
  await writeAtomically(join(places.inbox, TRUST), bytes, 0o600);
}

/** @returns how many were new */
async function keepOrders(
  places: Where,
  documents: readonly OrderDocument[],
  inbox: ReadonlyMap<string, unknown>,
): Promise<number> {
  const { held } = await readKnown(places);
  let fresh = 0;
  let room = MOST_BYTES - (await bytesIn(places));
  for (const document of documents) {
    const id = idOf(document.manifest);
    // The applier may have taken it while the answer was on its way.
    if (id === undefined || inbox.has(id) || held.includes(id)) continue;
    const text = `${JSON.stringify(document)}\n`;
    const read = readManifest(document.manifest);
    const files = read.ok ? read.value.files.reduce((sum, { size }) => sum + size, 0) : 0;
    room -= text.length + files;
    if (inbox.size + fresh >= MOST_ORDERS || room < 0) break;
    await writeAtomically(join(places.inbox, `${id}.json`), text, 0o600);
    fresh++;
  }
  return fresh;
}

/** Of kinds too that this version does not know: the applier says so. */
function idOf(manifest: string): string | undefined {
  return /"id":"([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})"/.exec(manifest)?.[1];
}

const MOST_NAMES = 10_000;

/** By id; undefined for what this version cannot read. */
async function readInboxOrders({ inbox }: Pick<Places, 'inbox'>): Promise<Map<string, Manifest | undefined>> {
  const orders = new Map<string, Manifest | undefined>();
  for (const name of await listHostile(inbox, MOST_NAMES)) {
    const id = /^([0-9a-f-]{36})\.json$/.exec(name)?.[1];
    if (id !== undefined) orders.set(id, await readInboxOrder(join(inbox, name)));
  }
  return orders;
}

async function readInboxOrder(path: string): Promise<Manifest | undefined> {
  const bytes = await readHostile(path, 2 * LARGEST_MANIFEST);
  const document = readOrderDocument(bytes ?? new Uint8Array());
  const read = document.ok ? readManifest(document.value.manifest) : document;
  return read.ok ? read.value : undefined;
}

/** Removes files that no order here names any more, and what a crash left. */
async function tidy({ inbox }: Where, orders: ReadonlyMap<string, Manifest | undefined>): Promise<void> {
  const wanted = new Set([...orders.values()].flatMap((manifest) => manifest?.files.map(({ sha256 }) => sha256) ?? []));
  for (const name of await listHostile(inbox, MOST_NAMES)) {
    if (name === TOLD || name === TRUST) continue;
    const digest = /^([0-9a-f]{64})(?:\.part)?$/.exec(name)?.[1];
    if (name.startsWith(TEMPORARY) || (digest !== undefined && !wanted.has(digest))) {
      await unlinkIfThere(join(inbox, name)).catch((error: unknown) => {
        throw new Error(`cannot tidy ${inbox}: ${messageOf(error)}`, { cause: error });
      });
    }
  }
}

async function bytesIn({ inbox }: Pick<Places, 'inbox'>): Promise<number> {
  let sum = 0;
  for (const name of await listHostile(inbox, MOST_NAMES)) {
    sum += await lstat(join(inbox, name)).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return sum;
}
