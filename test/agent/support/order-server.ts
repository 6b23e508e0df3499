import * as v from 'valibot';
import { signAnswer } from '../../../src/crypto/http-signature.ts';
import { contentDigest } from '../../../src/wire/v2/digest.ts';
import { readSignature, SEQUENCE_HEADER } from '../../../src/wire/v2/http-signature.ts';
import type { OrderDocument } from '../../../src/wire/v2/order.ts';
import {
  type ReceiptMessage,
  type ReportMessage,
  resultsRequest,
  updateRequest,
} from '../../../src/wire/v2/order-messages.ts';
import { FILES, RESULTS, SUBMIT, UPDATE } from '../../../src/wire/v2/paths.ts';
import { realRandom } from '../../support/world.ts';
import type { Answered, Passing, Site } from './site.ts';

/** What a server says of orders, as a test wants it: it stands before the real one, and signs with that one's key. */
export interface OrderServer {
  orders: { id: string; document: OrderDocument }[];
  files: Map<string, Buffer>;
  keys: { first_order_key?: string; order_keys?: unknown[]; revocations?: unknown };
  /** bytes of a piece */
  piece: number;
  reports: ReportMessage[];
  receipts: ReceiptMessage[];
  /** requests by path, newest last */
  asked: { path: string; message: Record<string, unknown> }[];
  /** what the server adds to its answers to reports */
  hint: boolean;
  /** a last word on the answer; undefined breaks the connection off */
  spoil?: ((path: string, content: Record<string, unknown>) => Record<string, unknown> | undefined) | undefined;
}

const EPOCH = realRandom.uuid();

export function orderServer(site: Site): OrderServer {
  const server: OrderServer = {
    orders: [],
    files: new Map(),
    keys: {},
    piece: 1024 * 1024,
    hint: false,
    reports: [],
    receipts: [],
    asked: [],
  };
  site.meddle(async (passing, next) => {
    const content = passing.path === SUBMIT ? await hinted(server, next) : answerTo(server, passing);
    if (content === undefined) return next();
    server.asked.push({ path: passing.path, message: passing.message });
    const last = server.spoil === undefined ? content : server.spoil(passing.path, content);
    if (last === undefined) return undefined;
    return signed(site, passing, 'error' in last ? Number(last['status'] ?? 404) : 200, last);
  });
  return server;
}

async function hinted({ hint, spoil }: OrderServer, next: () => Promise<Answered>) {
  if (!hint && spoil === undefined) return undefined;
  const { status, body } = await next();
  const content: Record<string, unknown> = JSON.parse(body.toString('utf8'));
  return status === 200 ? { ...content, ...(hint ? { orders: true } : {}) } : { ...content, status };
}

function answerTo(server: OrderServer, { path, message }: Passing): Record<string, unknown> | undefined {
  const common = { epoch: EPOCH, time: new Date().toISOString() };
  switch (path) {
    case UPDATE: {
      const { held, order_key, revocations } = v.parse(updateRequest, message);
      const orders = server.orders.filter(({ id }) => !held.includes(id)).map(({ document }) => document);
      return {
        status: orders.length > 0 ? 'orders' : 'current',
        orders,
        ...(order_key === 0 && server.keys.first_order_key !== undefined
          ? { first_order_key: server.keys.first_order_key }
          : {}),
        ...(server.keys.order_keys === undefined ? {} : { order_keys: server.keys.order_keys }),
        ...(server.keys.revocations === undefined || revocations > 0 ? {} : { revocations: server.keys.revocations }),
        ...common,
      };
    }
    case FILES: {
      const [sha256, offset] = [String(message['sha256']), Number(message['offset'])];
      const file = server.files.get(sha256);
      if (file === undefined) return { error: 'not-found', reason: 'cannot find such a file' };
      const content = file.subarray(offset, offset + server.piece).toString('base64');
      return { sha256, size: file.length, offset, content, ...common };
    }
    case RESULTS: {
      const { reports, receipts } = v.parse(resultsRequest, message);
      server.reports.push(...reports);
      for (const receipt of receipts) {
        if (receipt.number === (server.receipts.at(-1)?.number ?? 0) + 1) server.receipts.push(receipt);
      }
      const taken = reports.map(({ order, number }) => ({ order, number }));
      return { status: 'ok', taken, receipts: server.receipts.at(-1)?.number ?? 0, ...common };
    }
    default:
      return undefined;
  }
}

function signed(site: Site, { path, headers, body }: Passing, status: number, content: object): Answered {
  const answer = Buffer.from(JSON.stringify(content));
  const read = readSignature(String(headers['signature-input']), String(headers['signature']), []);
  if (read === undefined) throw new Error('the agent signs nothing');
  const digest = contentDigest(answer);
  const request = {
    path,
    contentDigest: contentDigest(body),
    sequence: String(headers[SEQUENCE_HEADER.toLowerCase()]),
    signature: read.signature,
  };
  const parts = { status, contentDigest: digest, request };
  const made = signAnswer(site.answerKey, parts, { created: Math.floor(Date.now() / 1000) });
  const lines = { 'signature-input': made['signature-input'], signature: made.signature };
  return { status, headers: { 'content-type': 'application/json', 'content-digest': digest, ...lines }, body: answer };
}
