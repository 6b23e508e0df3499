import { randomBytes } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import { v7 } from 'uuid';
import * as v from 'valibot';
import type { HostId } from '../../src/core/host.ts';
import type { Order, Receipt } from '../../src/core/order.ts';
import { composeUpdate } from '../../src/server/orders/compose-update.ts';
import type { Store } from '../../src/store/port.ts';
import { LARGEST_PIECE, updateAnswer } from '../../src/wire/v2/order-messages.ts';
import { FILES, RESULTS, UPDATE } from '../../src/wire/v2/paths.ts';
import { NO_RECEIPTS, receiptHash } from '../../src/wire/v2/receipt.ts';
import { anOrder, putContent, statesOf, targetsOf } from '../support/orders.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { forEachStore } from '../support/stores.ts';
import { enrolledClient, type V2Client } from '../support/v2-client.ts';
import { realClock } from '../support/world.ts';

const REPORT = { 'plugins.os_info': { distname: 'Debian' } };
const soon = () => new Date(Date.now() + 3_600_000);

interface Known {
  client: V2Client;
  host_id: HostId;
  hostname: string;
}

async function hostOn(server: TestServer, hostname: string): Promise<Known> {
  const client = await enrolledClient(server, hostname);
  const host = await server.store.hosts.find(hostname);
  const host_id = host?.identity?.host_id;
  if (host_id === undefined) throw new Error('no host');
  return { client, host_id, hostname };
}

const order = (changes: Partial<Order> = {}) =>
  anOrder({ made_at: new Date(), expires_at: soon(), manifest: randomBytes(20).toString('hex'), ...changes });
const target = ({ host_id, hostname }: Known) => ({ host_id, hostname });
const update = async ({ client, hostname }: Known, changes: object = {}) =>
  client.send(UPDATE, { hostname, release: 0, held: [], ...changes });
const manifests = (answer: { json: Record<string, unknown> }) =>
  (Array.isArray(answer.json['orders']) ? answer.json['orders'] : []).map((one) => Object(one).manifest);
const results = ({ client, hostname }: Known, content: object = {}) =>
  client.send(RESULTS, { hostname, reports: [], ...content });
const report = (id: string, changes: object = {}) => ({
  order: id,
  number: 1,
  state: 'done',
  at: new Date().toISOString(),
  ...changes,
});
const piece = ({ client }: Known, id: string, sha256: string, offset = 0) =>
  client.send(FILES, { order: id, sha256, offset });

/** A chain of receipts of that length, after a head. */
function chain(length: number, { number, hash } = NO_RECEIPTS, detail = ''): Receipt[] {
  const receipts: Receipt[] = [];
  let [last, previous] = [number, hash];
  for (let n = 0; n < length; n++) {
    const content = {
      ...{ number: ++last, previous, at: '2026-11-23T12:00:00.000Z', order: v7(), kind: 'command' },
      ...{ event: 'done' as const, by: 'alice', why: '', detail },
    };
    const receipt = { ...content, hash: receiptHash(content) };
    receipts.push(receipt);
    previous = receipt.hash;
  }
  return receipts;
}
const endOf = (receipts: readonly Receipt[]) => {
  const { number, hash } = receipts.at(-1) ?? NO_RECEIPTS;
  return { number, hash };
};
const issuesOf = async (store: Store, hostname: string) =>
  (await store.issues.history({ hostnames: [hostname], limit: 9 }))
    .filter(({ closed_at }) => closed_at === undefined)
    .map(({ name }) => name);

forEachStore((kind, test, prepare) => {
  async function site(t: ExecutionContext) {
    const store = await (await prepare(t)).open();
    const server = await startTestServer(t, { store, firstOrderKey: 'FIRST' });
    return { store, server, host: await hostOn(server, 'penguin-07') };
  }

  test(`${kind}: a host is told with its check-in that there are orders, fetches them, and is told no more`, async (t) => {
    const { store, host, server } = await site(t);
    const [one, other] = [order(), order({ signatures: ['a', 'b'], made_at: new Date(Date.now() + 1) })];
    t.is((await host.client.submit(REPORT)).json['orders'], undefined);
    await store.orders.insert(one, [target(host)]);
    await store.orders.insert(other, [target(host)]);
    const told = async () => (await host.client.submit(REPORT, { quiet: true })).json['orders'] === true;
    await until(told);
    const answer = await update(host);
    t.true(answer.verified);
    t.like(answer.json, { status: 'orders', more: undefined, first_order_key: 'FIRST' });
    t.deepEqual(
      answer.json['orders'],
      [one, other].map(({ manifest, signatures }) => ({ manifest, signatures })),
    );
    t.is(server.events('order.given').length, 2);
    t.deepEqual(await statesOf(store.orders, one.id), { 'penguin-07': 'fetched' });
    await until(async () => !(await told()));
  });

  test(`${kind}: orders come again until the host holds them, and again when they got another signature`, async (t) => {
    const { store, host, server } = await site(t);
    const [one, other] = [order({ signatures: ['first'] }), order({ made_at: new Date(Date.now() + 1) })];
    for (const each of [one, other]) await store.orders.insert(each, [target(host)]);
    t.is(manifests(await update(host)).length, 2);
    t.is(manifests(await update(host)).length, 2, 'the answer was lost');
    t.deepEqual(manifests(await update(host, { held: [one.id] })), [other.manifest]);
    const nothing = await update(host, { held: [one.id, other.id], order_key: 1 });
    t.like(nothing.json, { status: 'current', orders: undefined, first_order_key: undefined });
    await store.orders.addSignature(one.id, 'second', realClock.now());
    const again = await update(host, { held: [one.id, other.id] });
    t.deepEqual(again.json['orders'], [{ manifest: one.manifest, signatures: ['first', 'second'] }]);
    const stranger = await hostOn(server, 'stranger');
    t.is((await update(stranger)).json['status'], 'current');
  });

  test(`${kind}: an answer stays small: the rest comes with the next one`, async (t) => {
    const { store, host } = await site(t);
    const large = Array.from({ length: 4 }, (_, index) =>
      order({ made_at: new Date(Date.now() + index), manifest: `${index}`.repeat(index === 2 ? 3_000_000 : 300_000) }),
    );
    for (const each of large) await store.orders.insert(each, [target(host)]);
    const got: string[] = [];
    for (const expected of [1, 1, 1, 1]) {
      const held = large.slice(0, got.length).map(({ id }) => id);
      const answer = await update(host, { held });
      t.is(manifests(answer).length, expected);
      t.is(answer.json['more'], got.length < 3 ? true : undefined);
      t.true(v.is(updateAnswer, answer.json));
      got.push(...manifests(answer));
    }
    t.deepEqual(
      got,
      large.map(({ manifest }) => manifest),
    );
  });

  test(`${kind}: a host learns of the newest release, and of the keys that it does not know`, async (t) => {
    const { store, host } = await site(t);
    const release = (number: number) => order({ kind: 'release', release: number, hosts: null });
    const [one, two] = [release(1), release(2)];
    await store.orders.insert(one, []);
    await store.orders.insert(two, []);
    const statement = (number: number) => ({ statement: { number }, signature: 'x' });
    for (const number of [1, 2])
      await store.orders.putStatement({ kind: 'order-key', number, document: statement(number) });
    for (const number of [3, 5])
      await store.orders.putStatement({ kind: 'revocations', number, document: statement(number) });
    const answer = await update(host, { order_key: 1, revocations: 3 });
    t.deepEqual(manifests(answer), [two.manifest]);
    t.deepEqual(answer.json['order_keys'], [statement(2)]);
    t.deepEqual(answer.json['revocations'], statement(5), 'the last list holds all before it');
    t.deepEqual(await statesOf(store.orders, two.id), { 'penguin-07': 'fetched' });
    const later = await update(host, { release: 2, order_key: 2, revocations: 5 });
    t.like(later.json, { status: 'current', order_keys: undefined, revocations: undefined });
  });

  test(`${kind}: files come in pieces, to hosts that the order is for, while it is open`, async (t) => {
    const { store, host, server } = await site(t);
    const content = randomBytes(LARGEST_PIECE + 1000);
    const file = await putContent(store.orders, content);
    const other = await putContent(store.orders, Buffer.from('of another order'));
    const one = order({ files: [file] });
    await store.orders.insert(one, [target(host)]);
    const pieces: Buffer[] = [];
    for (let offset = 0; offset < content.length; offset += pieces.at(-1)?.length ?? 0) {
      const answer = await piece(host, one.id, file.sha256, offset);
      t.is(answer.status, 200, answer.body.toString().slice(0, 200));
      t.true(answer.verified);
      t.like(answer.json, { ...file, offset });
      pieces.push(Buffer.from(String(answer.json['content']), 'base64'));
    }
    t.true(Buffer.concat(pieces).equals(content));
    t.is((await piece(host, one.id, file.sha256, content.length + 5)).json['content'], '');
    const refused = async (asking: Known, id: string, sha256: string) => {
      const answer = await piece(asking, id, sha256);
      t.is(answer.status, 404);
      t.true(answer.verified);
      t.is(answer.json['error'], 'not-found');
    };
    await refused(host, one.id, other.sha256);
    await refused(host, v7(), file.sha256);
    await refused(await hostOn(server, 'stranger'), one.id, file.sha256);
    t.is((await host.client.send(FILES, { order: one.id, sha256: '../../etc/passwd', offset: 0 })).status, 400);
    t.is((await host.client.send(FILES, { order: one.id, sha256: file.sha256, offset: -1 })).status, 400);
    await results(host, { reports: [report(one.id)] });
    await refused(host, one.id, file.sha256);
    const cancelled = order({ files: [file] });
    await store.orders.insert(cancelled, [target(host)]);
    await store.orders.cancel(cancelled.id, realClock.now());
    await refused(host, cancelled.id, file.sha256);
    const expired = order({ files: [file], expires_at: new Date(Date.now() - 1) });
    await store.orders.insert(expired, [target(host)]);
    await refused(host, expired.id, file.sha256);
  });

  test(`${kind}: what became of orders is kept; what is about no order of the host is acknowledged and dropped`, async (t) => {
    const { store, host, server } = await site(t);
    const [one, strange] = [order(), order()];
    await store.orders.insert(one, [target(host)]);
    await store.orders.insert(strange, [{ host_id: v7() as HostId, hostname: 'other' }]);
    const done = report(one.id, {
      number: 3,
      exit_status: 0,
      duration_ms: 5,
      stdout: { text: 'hello\u0000', bytes: 6, truncated: false },
      steps: ['did it'],
    });
    const answer = await results(host, { reports: [report(one.id, { state: 'running' }), done, report(strange.id)] });
    t.is(answer.status, 200, answer.body.toString());
    t.true(answer.verified);
    t.like(answer.json, {
      status: 'ok',
      taken: [
        { order: one.id, number: 1 },
        { order: one.id, number: 3 },
        { order: strange.id, number: 1 },
      ],
      receipts: 0,
    });
    const [kept] = await targetsOf(store.orders, { order: one.id });
    t.deepEqual(kept?.report, { ...done, at: new Date(done.at) });
    t.deepEqual(await statesOf(store.orders, strange.id), { other: 'queued' });
    t.is(server.events('order.unknown').length, 1);
    t.is((await results(host, { reports: [report(one.id, { state: 'invented' })] })).status, 400);
    t.is((await results(host, { reports: Array.from({ length: 51 }, () => done) })).status, 400);
    t.deepEqual(await issuesOf(store, 'penguin-07'), []);
  });

  test(`${kind}: an order that was refused is an issue, once, until it is closed by hand`, async (t) => {
    const { store, host } = await site(t);
    const [one, other] = [order(), order()];
    for (const each of [one, other]) await store.orders.insert(each, [target(host)]);
    const refusal = report(one.id, { state: 'refused', reason: 'it was altered' });
    await results(host, { reports: [refusal] });
    t.deepEqual(await issuesOf(store, 'penguin-07'), ['order-refused']);
    await store.issues.closeByHand({ names: ['order-refused'] }, realClock.now());
    await results(host, { reports: [refusal] });
    t.deepEqual(await issuesOf(store, 'penguin-07'), [], 'it came before');
    await results(host, { reports: [report(other.id, { state: 'refused', at: '2020-01-01T00:00:00.000Z' })] });
    t.deepEqual(await issuesOf(store, 'penguin-07'), ['order-refused'], 'whatever its clock says');
    const ahead = order();
    await store.orders.insert(ahead, [target(host)]);
    const early = report(ahead.id, { state: 'refused', at: '2100-01-01T00:00:00.000Z' });
    await results(host, { reports: [early] });
    await store.issues.closeByHand({ names: ['order-refused'] }, realClock.now());
    await results(host, { reports: [early] });
    t.deepEqual(await issuesOf(store, 'penguin-07'), [], 'it came before, from a clock that is ahead');
  });

  test(`${kind}: receipts that go on are taken, those sent again are no fault`, async (t) => {
    const { store, host } = await site(t);
    const receipts = chain(7);
    const send = async (some: Receipt[], known: number, end = endOf(receipts)) =>
      (await results(host, { receipts: some, known, end })).json['receipts'];
    t.is(await send(receipts.slice(0, 3), 0), 3);
    t.is(await send(receipts.slice(0, 3), 0), 3, 'the answer was lost');
    t.is(await send(receipts.slice(0, 2), 0), 3, 'what the server has said was lost');
    t.is(await send(receipts.slice(2, 5), 0), 5);
    t.is(await send([], 5), 5);
    t.is(await send(receipts.slice(5), 5), 7);
    t.deepEqual(await store.orders.receipts(host.host_id), endOf(receipts));
    t.deepEqual(await issuesOf(store, 'penguin-07'), []);
    await store.orders.moveReceipts(host.host_id, endOf(receipts), endOf(receipts.slice(0, 4)));
    t.is(await send([], 7), 4);
    const more = [...receipts, ...chain(1, endOf(receipts))];
    t.is(await send(more.slice(7), 7, endOf(more)), 4, 'the server was restored: the host is told to go on behind 4');
    t.is(await send(more.slice(4), 4, endOf(more)), 8);
    t.deepEqual(await issuesOf(store, 'penguin-07'), []);
  });

  const BROKEN: Record<string, (receipts: Receipt[]) => object> = {
    'has a gap': (receipts) => ({ receipts: chain(2, { number: 5, hash: 'f'.repeat(64) }), known: receipts.length }),
    'forks behind the head': () => ({ receipts: chain(2, { number: 3, hash: 'f'.repeat(64) }), known: 3 }),
    'forks at the head': (receipts) => ({ receipts: chain(2, endOf(receipts.slice(0, 2)), 'other'), known: 2 }),
    'has another head': () => ({ end: { number: 3, hash: 'f'.repeat(64) }, known: 3 }),
    'goes back': (receipts) => ({ end: endOf(receipts.slice(0, 2)), known: 3 }),
    'begins anew': () => ({ receipts: chain(1, NO_RECEIPTS, 'other'), known: 3, end: endOf(chain(1)) }),
    'was changed within': (receipts) => ({
      receipts: chain(3, endOf(receipts)).map((one) => (one.number === 5 ? { ...one, detail: 'other' } : one)),
      known: 3,
    }),
    'has a receipt too few within': (receipts) => ({
      receipts: chain(3, endOf(receipts)).filter(({ number }) => number !== 5),
      known: 3,
    }),
  };

  for (const [how, break_] of Object.entries(BROKEN)) {
    test(`${kind}: a chain of receipts that ${how} is an issue; the host's next ones are followed`, async (t) => {
      const { store, host, server } = await site(t);
      const receipts = chain(3);
      await results(host, { receipts });
      const answer = await results(host, break_(receipts));
      t.is(answer.status, 200, answer.body.toString());
      t.deepEqual(await issuesOf(store, 'penguin-07'), ['receipts-broken']);
      t.is(server.events('receipts.broken').length, 1);
      const { broken_at, ...head } = (await store.orders.receipts(host.host_id)) ?? t.fail();
      t.true(broken_at instanceof Date);
      const next = chain(2, head);
      const goOn = (some: Receipt[]) => results(host, { receipts: some, known: head.number, end: endOf(next) });
      t.is((await goOn(next.slice(0, 1))).json['receipts'], head.number + 1);
      t.truthy((await store.orders.receipts(host.host_id))?.broken_at, 'nobody has looked');
      await store.issues.closeByHand({ names: ['receipts-broken'] }, realClock.now());
      await goOn(next.slice(1));
      t.deepEqual(await store.orders.receipts(host.host_id), endOf(next));
      t.deepEqual(await issuesOf(store, 'penguin-07'), []);
    });
  }

  test(`${kind}: an order that is cancelled while a host asks is not given`, async (t) => {
    const { store, host } = await site(t);
    const one = order();
    await store.orders.insert(one, [target(host)]);
    const known = await store.hosts.find('penguin-07');
    if (known?.identity === undefined) throw new Error('no host');
    const orders = {
      ...store.orders,
      markFetched: async (...args: Parameters<Store['orders']['markFetched']>) => {
        await store.orders.cancel(one.id, realClock.now());
        return store.orders.markFetched(...args);
      },
    };
    const request = { hostname: 'penguin-07', release: 0, held: [], order_key: 0, revocations: 0 };
    const composed = await composeUpdate(
      { store: { orders }, clock: realClock },
      { ...known, identity: known.identity },
      request,
    );
    t.deepEqual(composed.ids, []);
    t.is(composed.orders, undefined);
  });

  test(`${kind}: a lost host fetches its orders and reports; a revoked key gets nothing`, async (t) => {
    const { store, host, server } = await site(t);
    const file = await putContent(store.orders, Buffer.from('x'));
    const [one, wipe] = [order({ files: [file] }), order({ kind: 'wipe' })];
    for (const each of [one, wipe]) await store.orders.insert(each, [target(host)]);
    await store.hosts.markLost('penguin-07', realClock.now());
    t.deepEqual(manifests(await update(host)).sort(), [one.manifest, wipe.manifest].sort());
    t.is((await piece(host, one.id, file.sha256)).status, 200);
    t.is((await results(host, { reports: [report(one.id)], receipts: chain(1) })).json['receipts'], 1);
    t.is((await host.client.submit(REPORT)).json['error'], 'lost');
    t.deepEqual(
      server.events('host.lost-seen').map(({ endpoint }) => endpoint),
      ['update', 'files', 'results', 'POST /penguindome/v2/submit'],
    );
    await store.hosts.revokeKey(host.client.key.id, realClock.now());
    for (const answer of [await update(host), await piece(host, one.id, file.sha256), await results(host)]) {
      t.is(answer.status, 401);
      t.is(answer.json['error'], 'revoked-key');
    }
  });

  test(`${kind}: each of the three takes what is signed, fresh and new only`, async (t) => {
    const { host } = await site(t);
    const asked = {
      [UPDATE]: { hostname: 'penguin-07', release: 0 },
      [FILES]: { order: v7(), sha256: '0'.repeat(64), offset: 0 },
      [RESULTS]: { hostname: 'penguin-07', reports: [] },
    };
    for (const [path, message] of Object.entries(asked)) {
      const send = async (tweaks: Parameters<V2Client['send']>[2], content: unknown = message) =>
        (await host.client.send(path, content, tweaks)).json['error'];
      t.is(await send({ unsigned: true }), 'bad-signature', path);
      t.is(await send({ createdOff: -301_000 }), 'clock-skew', path);
      t.is(await send({ contentDigest: 'sha-256=:AAAA:' }), 'bad-digest', path);
      const sequence = host.client.nextSequence();
      await send({ sequence }, { garbage: true });
      t.is(await send({ sequence }), 'replayed', path);
      t.is(await send({}, []), 'bad-request', path);
    }
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('it never came true');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
