/**
 * A load generator: plays prepared HTTP requests over TLS, and counts. One process of its own.
 *   node load.mjs '{"requests": FILE, "from": 0, "count": 1000, "port": 8443, "ca": FILE, "connections": "kept" | "resumed", "rate"?: 500}'
 * The file: each request as a 32-bit big-endian length and its bytes. Prints one JSON object.
 */
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { type Connection, connector } from './connections.ts';
import { type Figures, spread } from './spread.ts';

const LANES = 16;
/** Kept connections while requests come at a rate: more than are ever waited for at once, unless the server stalls. */
const KEPT_AT_RATE = 48;
const HEALTH = Buffer.from('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');

const options = v.parse(
  v.object({
    requests: v.string(),
    from: v.number(),
    count: v.number(),
    port: v.number(),
    ca: v.string(),
    connections: v.picklist(['kept', 'resumed']),
    rate: v.optional(v.number()),
  }),
  JSON.parse(process.argv[2] ?? ''),
);
const open = connector({ port: options.port, ca: readFileSync(options.ca) });
const chosen = readRequests(options.requests).slice(options.from, options.from + options.count);
const statuses: Record<string, number> = {};
let resumed = 0;

function readRequests(file: string): Buffer[] {
  const bytes = readFileSync(file);
  const requests: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at);
    requests.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return requests;
}

async function play(number: number, connection: Connection): Promise<void> {
  const request = chosen[number];
  if (request === undefined) throw new RangeError(`no request ${number}`);
  const { status } = await connection.ask(request);
  statuses[status] = (statuses[status] ?? 0) + 1;
}

/** Whichever connection is free asks next. */
async function overKept(): Promise<Figures> {
  const lanes = options.rate === undefined ? LANES : KEPT_AT_RATE;
  const connections = await Promise.all(Array.from({ length: lanes }, () => open()));
  const free = [...connections];
  const waiting: ((connection: Connection) => void)[] = [];
  const figures = await spread({ count: chosen.length, lanes, rate: options.rate }, async (number) => {
    const connection = free.pop() ?? (await new Promise<Connection>((resolve) => waiting.push(resolve)));
    await play(number, connection);
    const next = waiting.shift();
    if (next === undefined) free.push(connection);
    else next(connection);
  });
  for (const connection of connections) connection.end();
  return figures;
}

/** Each request on a connection of its own, with the newest ticket of its lane, as a host's next tick has it. */
async function overResumed(): Promise<Figures> {
  const tickets = await Promise.all(Array.from({ length: LANES }, firstTicket));
  return spread({ count: chosen.length, lanes: LANES, rate: options.rate }, async (number, lane) => {
    const connection = await open(tickets[lane]);
    if (connection.resumed) resumed += 1;
    await play(number, connection);
    tickets[lane] = connection.ticket();
    connection.end();
  });
}

/** The ticket comes with the first answer: TLS 1.3 sends it after the handshake. */
async function firstTicket(): Promise<Buffer | undefined> {
  const connection = await open();
  await connection.ask(HEALTH);
  connection.end();
  return connection.ticket();
}

const figures = await (options.connections === 'kept' ? overKept() : overResumed());
console.log(JSON.stringify({ ...figures, statuses, resumed }));
