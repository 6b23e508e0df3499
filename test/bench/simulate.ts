/**
 * Hosts that check in, again and again, each with a key, a chain and a TLS ticket of its own; nothing changes on them.
 *   node simulate.mjs '{"hosts": FILE, "port", "ca": FILE, "authority", "ticks": 5, "rate"?: 166, "connections": "kept" | "resumed"}'
 * The file: one JSON object a line, {hostname, key (PKCS #8 PEM), chain, digest}. Prints one JSON object.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { loadSigningKey, type SigningKey } from '../../src/crypto/ed25519.ts';
import { type Connection, connector } from './connections.ts';
import { checkInRequest } from './requests.ts';
import { spread } from './spread.ts';

const options = v.parse(
  v.object({
    hosts: v.string(),
    port: v.number(),
    ca: v.string(),
    authority: v.string(),
    ticks: v.number(),
    rate: v.optional(v.number()),
    connections: v.picklist(['kept', 'resumed']),
  }),
  JSON.parse(process.argv[2] ?? ''),
);
const line = v.object({ hostname: v.string(), key: v.string(), chain: v.string(), digest: v.string() });
const answer = v.object({ chain: v.string() });

interface SimulatedHost {
  hostname: string;
  key: SigningKey;
  chain: string;
  digest: string;
  ticket: Buffer | undefined;
}

const LANES = 16;

async function main(): Promise<void> {
  const open = connector({ port: options.port, ca: readFileSync(options.ca) });
  const first = await open();
  await first.ask(Buffer.from('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'));
  const hosts = readHosts(first.ticket());
  const kept = options.connections === 'kept' ? await Promise.all(Array.from({ length: LANES }, () => open())) : [];
  const statuses: Record<string, number> = {};
  let resumed = 0;
  const count = hosts.length * options.ticks;
  const turns = new Map<number, number>();
  const figures = await spread({ count, lanes: LANES, rate: options.rate }, async (number, lane) => {
    // As fast as it goes, a lane has hosts of its own: a host's next report waits for its last answer.
    const turn = turns.get(lane) ?? 0;
    turns.set(lane, turn + 1);
    const host = hosts[(options.rate === undefined ? lane + LANES * turn : number) % hosts.length];
    if (host === undefined) throw new RangeError('no such host');
    const connection = kept[lane] ?? (await open(host.ticket));
    if (connection.resumed) resumed += 1;
    const status = await checkIn(host, connection);
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (kept.length > 0) return;
    host.ticket = connection.ticket();
    connection.end();
  });
  for (const connection of [first, ...kept]) connection.end();
  console.log(JSON.stringify({ ...figures, statuses, resumed }));
}

function readHosts(ticket: Buffer | undefined): SimulatedHost[] {
  const lines = readFileSync(options.hosts, 'utf8').trimEnd().split('\n');
  return lines.map((text) => {
    const { key, ...host } = v.parse(line, JSON.parse(text));
    return { ...host, key: loadSigningKey(key), ticket };
  });
}

async function checkIn(host: SimulatedHost, connection: Connection): Promise<string> {
  const { status, body } = await connection.ask(
    checkInRequest(host, {
      authority: options.authority,
      now: new Date(),
      submission: randomUUID(),
      nonce: randomBytes(16).toString('base64url'),
      close: options.connections === 'resumed',
    }),
  );
  if (status === '200') host.chain = v.parse(answer, JSON.parse(body.toString())).chain;
  return status;
}

await main();
