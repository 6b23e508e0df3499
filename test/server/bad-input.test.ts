import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { days } from '../../src/core/duration.ts';
import { generateSigningKey, loadSigningKey } from '../../src/crypto/ed25519.ts';
import { generateOrderKey } from '../../src/crypto/openpgp.ts';
import type { Store } from '../../src/store/port.ts';
import { type HttpAnswer, httpRequest } from '../support/http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { temporaryStore } from '../support/stores.ts';
import { FORM, fleetKey, signV1, v1Form } from '../support/v1-client.ts';
import { digestsOf, enrolledClient, type Tweaks, type V2Client, v2Client } from '../support/v2-client.ts';
import { realClock } from '../support/world.ts';

const LIMITS = { body: 400_000, decompressed: 2_000_000, document: 200_000 };
const GOOD = { 'plugins.os_info': { version: '12' } };
const OLD_V1 = { hostname: 'penguin-v1', plugins: { os_info: { version: '12' } } };

interface Started {
  server: TestServer;
  client: V2Client;
}

async function started(t: ExecutionContext, limits: object = LIMITS): Promise<Started> {
  const settings = { limits, v1: { enabled: true } };
  const server = await startTestServer(t, { settings, v1Keys: fleetKey.publicKey });
  const client = await enrolledClient(server, 'penguin-07');
  await client.submit(GOOD);
  return { server, client };
}

/** What bad input is to get: one status, one line in the log, nothing stored, and the server still answers. */
async function refuses(
  t: ExecutionContext,
  { server, client }: Started,
  send: () => Promise<{ status: number }>,
  expected: { status: number; code?: string },
): Promise<void> {
  const before = await everything(server);
  const lines = server.logged.length;
  const answer = await send();
  t.is(answer.status, expected.status);
  const [line, ...more] = server.logged.slice(lines).filter(({ level }) => level !== 'debug');
  t.deepEqual(more, []);
  if (expected.code !== undefined) t.is(line?.['code'], expected.code);
  t.true(line !== undefined && JSON.stringify(line).length < 2000, 'a line holds facts, not the payload');
  t.deepEqual(await everything(server), before);
  t.is((await client.submit(GOOD, { quiet: true })).status, 200, 'the next good request is answered');
}

/** But for the sequence number, which every verified request uses up. */
async function everything({ store }: TestServer): Promise<unknown[]> {
  const stored: unknown[] = [];
  for await (const { identity, ...host } of store.hosts.list()) {
    stored.push({ ...host, identity: { ...identity, sequence: 0 } });
  }
  return [...stored, await store.enrollments.list(), await store.trail.history('penguin-07', { limit: 10 })];
}

const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const manyKeys = (count: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 1]));

const message = (client: V2Client, change: object = {}): object => ({
  submission: '01890000-0000-7000-8000-000000000001',
  chain: client.chain,
  hostname: client.hostname,
  collected_at: '2026-11-22T10:00:00Z',
  digest: 'a'.repeat(64),
  ...change,
});

const submit = (client: V2Client, body: unknown, tweaks?: Tweaks) =>
  client.send('/penguindome/v2/submit', body, tweaks);
const raw = (text: string): Tweaks => ({ raw: Buffer.from(text) });

type V2Case = [name: string, status: number, code: string, send: (started: Started) => Promise<{ status: number }>];

const V2: V2Case[] = [
  ['no body', 400, 'bad-request', ({ client }) => submit(client, null, raw(''))],
  ['no body and no signature', 401, 'bad-signature', ({ server }) => post(server, '/penguindome/v2/submit', '')],
  [
    'wrong content type',
    415,
    'unsupported-type',
    ({ client }) => submit(client, message(client), { contentType: 'text/plain' }),
  ],
  [
    'unknown content coding',
    415,
    'unsupported-type',
    ({ client }) => submit(client, message(client), { headers: { 'content-encoding': 'br' } }),
  ],
  ['bad JSON', 400, 'bad-request', ({ client }) => submit(client, null, raw('{"a":'))],
  [
    'JSON that is not UTF-8',
    400,
    'bad-request',
    ({ client }) => submit(client, null, { raw: Buffer.from('"\xff"', 'latin1') }),
  ],
  ['wrong shape: a list', 400, 'bad-request', ({ client }) => submit(client, [1])],
  [
    'wrong shape: a number for a digest',
    400,
    'bad-request',
    ({ client }) => submit(client, message(client, { digest: 1 })),
  ],
  [
    'gzip that is none',
    400,
    'bad-request',
    ({ client }) => submit(client, message(client), { headers: { 'content-encoding': 'gzip' } }),
  ],
  [
    'wrong signature',
    401,
    'bad-signature',
    ({ client }) => submit(client, message(client), { headers: { 'penguindome-sequence': '17' } }),
  ],
  [
    'a signature by another key',
    401,
    'bad-signature',
    ({ client }) => submit(client, message(client), { signer: otherKey }),
  ],
  ['no signature', 401, 'bad-signature', ({ client }) => submit(client, message(client), { unsigned: true })],
  [
    'a signature header that is garbage',
    401,
    'bad-signature',
    ({ client }) => submit(client, message(client), { headers: { signature: ';;;' } }),
  ],
  [
    'a signature that does not cover the sequence',
    401,
    'bad-signature',
    ({ client }) =>
      submit(client, message(client), {
        mangle: (headers) => {
          headers['signature-input'] = headers['signature-input']?.replace(' "penguindome-sequence"', '') ?? '';
        },
      }),
  ],
  [
    'unknown key',
    401,
    'unknown-key',
    ({ server }) => {
      const stranger = v2Client({ ...server, hostname: 'penguin-07' });
      return submit(stranger, message(stranger));
    },
  ],
  [
    'a digest that does not match',
    400,
    'bad-digest',
    ({ client }) => submit(client, message(client), { contentDigest: `sha-256=:${'A'.repeat(43)}=:` }),
  ],
  [
    'a clock 10 minutes behind',
    401,
    'clock-skew',
    ({ client }) => submit(client, message(client), { createdOff: -600_000 }),
  ],
  [
    'a clock 10 minutes ahead',
    401,
    'clock-skew',
    ({ client }) => submit(client, message(client), { createdOff: 600_000 }),
  ],
  [
    'a sequence number used twice',
    409,
    'replayed',
    async ({ server, client }) => {
      const host = await server.store.hosts.find('penguin-07');
      return submit(client, message(client), { sequence: host?.identity?.sequence ?? 0 });
    },
  ],
  [
    'a body over the limit',
    413,
    'too-large',
    ({ client }) => submit(client, message(client, { pad: 'x'.repeat(500_000) })),
  ],
  [
    'a body over the limit that does not say its length',
    413,
    'too-large',
    ({ client }) =>
      submit(client, message(client, { pad: 'x'.repeat(500_000) }), {
        mangle: (headers) => {
          delete headers['content-length'];
        },
      }),
  ],
  [
    'a gzip bomb',
    413,
    'too-large',
    ({ client }) => submit(client, null, { raw: Buffer.alloc(50_000_000, 0x20), gzip: true }),
  ],
  ['deep JSON', 400, 'bad-request', ({ client }) => submit(client, null, raw(deep(40_000)))],
  ['JSON one level too deep', 400, 'bad-request', ({ client }) => submit(client, null, raw(deep(65)))],
  ['100,000 keys', 400, 'bad-request', ({ client }) => submit(client, manyKeys(100_000), { gzip: true })],
  ['a raw NUL in a string', 400, 'bad-request', ({ client }) => submit(client, null, raw('{"hostname":"a\0b"}'))],
  ['a NUL in the host name', 400, 'bad-request', ({ client }) => submit(client, message(client, { hostname: 'a\0b' }))],
  [
    'a NUL in a name of the list',
    400,
    'bad-request',
    ({ client }) => submit(client, message(client, { list: { 'plugins.a\0b': 'a'.repeat(64) } })),
  ],
  [
    'a host name with ../',
    400,
    'bad-request',
    ({ client }) => submit(client, message(client, { hostname: '../../etc/passwd' })),
  ],
  [
    'a host name of 300 characters',
    400,
    'bad-request',
    ({ client }) => submit(client, message(client, { hostname: 'h'.repeat(300) })),
  ],
  [
    'a list that does not give the digest',
    400,
    'bad-request',
    ({ client }) => submit(client, message(client, { list: {}, bodies: {} })),
  ],
  [
    'a body that is not the one of its digest',
    400,
    'bad-request',
    ({ client }) => {
      const { list } = digestsOf({ 'plugins.x': 1 });
      return client.submit({ 'plugins.x': 1 }, { extra: { bodies: { [list['plugins.x'] ?? '']: 2 } } });
    },
  ],
  [
    "a plugin under the server's own name",
    400,
    'bad-request',
    ({ client }) => client.submit({ 'plugins.submitted_at': 1 }),
  ],
  [
    'a number that no double holds',
    400,
    'bad-request',
    ({ client }) =>
      submit(
        client,
        null,
        raw(
          JSON.stringify(
            message(client, {
              list: digestsOf({ 'plugins.x': 1 }).list,
              digest: 'ab'.repeat(32),
              bodies: { ['a'.repeat(64)]: 0 },
            }),
          ).replace(':0}', ':1e999}'),
        ),
      ),
  ],
  ['a query', 400, 'bad-request', ({ server }) => post(server, '/penguindome/v2/submit?x=1', '{}')],
  ['another method', 405, 'method-not-allowed', ({ server }) => httpRequest(`${server.url}/penguindome/v2/submit`, {})],
  ['another path', 404, 'not-found', ({ server }) => post(server, '/penguindome/v2/submitted', '{}')],
  ['another path with control characters', 404, 'not-found', ({ server }) => post(server, '/%1b[31m%0a', '{}')],
];

const strangerKey = await generateOrderKey({ userId: 'penguindome-client', createdAt: new Date(Date.now() - days(1)) });
const otherKey = loadSigningKey(generateSigningKey());

function post(
  server: TestServer,
  path: string,
  body: string,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): Promise<HttpAnswer> {
  return httpRequest(server.url + path, { method: 'POST', headers, body });
}

for (const [name, status, code, send] of V2) {
  test.serial(`v2: ${name} gets ${status}`, async (t) => {
    const all = await started(t);
    await refuses(t, all, () => send(all), { status, code });
  });
}

const form = (server: TestServer, body: string, headers: Record<string, string> = FORM): Promise<HttpAnswer> =>
  post(server, '/penguindome/v1/submit', body, headers);
const signedForm = async (server: TestServer, content: unknown): Promise<HttpAnswer> =>
  form(server, await v1Form(content));

type V1Case = [name: string, status: number, send: (server: TestServer) => Promise<{ status: number }>];

const V1: V1Case[] = [
  ['no body', 400, (server) => form(server, '')],
  ['no body and no content type', 400, (server) => form(server, '', {})],
  [
    'wrong content type',
    400,
    async (server) => form(server, await v1Form(OLD_V1), { 'content-type': 'application/json' }),
  ],
  ['a broken escape', 400, (server) => form(server, 'data=%zz&signature=x')],
  ['the field data twice', 400, async (server) => form(server, `${await v1Form(OLD_V1)}&data=x`)],
  ['bad JSON', 400, (server) => signedForm(server, '{"hostname":')],
  ['wrong shape', 400, (server) => signedForm(server, { hostname: 1, plugins: {} })],
  ['nothing to store', 400, (server) => signedForm(server, { hostname: 'penguin-v1', plugins: {}, commands: {} })],
  [
    'a command name that is none',
    400,
    (server) => signedForm(server, { hostname: 'penguin-v1', commands: { 'a b': { output: '' } } }),
  ],
  ['no signature', 403, (server) => form(server, new URLSearchParams({ data: JSON.stringify(OLD_V1) }).toString())],
  ['wrong signature', 403, async (server) => form(server, await v1Form(OLD_V1, { signature: await signV1('other') }))],
  [
    'a signature by another key',
    403,
    async (server) => form(server, await v1Form(OLD_V1, { key: strangerKey.secretKey })),
  ],
  [
    'a signature two days old',
    403,
    async (server) => form(server, await v1Form(OLD_V1, { at: new Date(Date.now() - 172_800_000) })),
  ],
  ['a body over the limit', 400, (server) => form(server, `data=${'x'.repeat(500_000)}`)],
  [
    'a gzip bomb',
    400,
    (server) =>
      form(server, gzipSync(Buffer.alloc(5_000_000)).toString('latin1'), { ...FORM, 'content-encoding': 'gzip' }),
  ],
  ['deep JSON', 400, (server) => signedForm(server, `{"hostname":"penguin-v1","plugins":{"a":${deep(30_000)}}}`)],
  [
    'too many keys',
    400,
    (server) => signedForm(server, `{"hostname":"penguin-v1","plugins":{"a":[${'{},'.repeat(20_000)}{}]}}`),
  ],
  ['a raw NUL in a string', 400, (server) => signedForm(server, '{"hostname":"a\0b","plugins":{"a":1}}')],
  ['a NUL in the host name', 400, (server) => signedForm(server, { ...OLD_V1, hostname: 'a\0b' })],
  ['a host name with ../', 400, (server) => signedForm(server, { ...OLD_V1, hostname: '../penguin' })],
  ['a host name of 300 characters', 400, (server) => signedForm(server, { ...OLD_V1, hostname: 'h'.repeat(300) })],
  [
    'a number that no double holds',
    400,
    (server) => signedForm(server, '{"hostname":"penguin-v1","plugins":{"a":1e999}}'),
  ],
];

for (const [name, status, send] of V1) {
  test.serial(`v1: ${name} gets ${status}`, async (t) => {
    const all = await started(t, { ...LIMITS, json_keys: 10_000 });
    await refuses(t, all, () => send(all.server), { status });
  });
}

/** Says what it is told to, piece by piece, and gives all that comes back until the other end closes. */
function talk(
  server: TestServer,
  pieces: string[],
  everyMilliseconds: number,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    let text = '';
    const waiting = [...pieces];
    const timer = setInterval(() => {
      const piece = waiting.shift();
      if (piece !== undefined && socket.writable) socket.write(piece);
    }, everyMilliseconds);
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearInterval(timer);
      resolve({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0), text });
    });
  });
}

const IMPATIENT = { ...LIMITS, headers_timeout: '1s', request_timeout: '2s' };
const HEAD =
  'POST /penguindome/v2/submit HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n';

const SLOW: [name: string, pieces: string[], status: number][] = [
  ['headers that come one byte at a time', [...HEAD], 408],
  ['a body that comes one byte at a time', [HEAD, ...'x'.repeat(1000)], 408],
  ['what is not HTTP', ['EHLO penguin\r\n\r\n'], 400],
  ['headers that are too large', [HEAD.replace('\r\n\r\n', `\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`)], 431],
  ['two lengths', [HEAD.replace('\r\n\r\n', '\r\nContent-Length: 5\r\n\r\n')], 400],
];

for (const [name, pieces, status] of SLOW) {
  test.serial(`${name} get ${status} and the connection ends`, async (t) => {
    const all = await started(t, IMPATIENT);
    await refuses(t, all, () => talk(all.server, pieces, 20), { status });
  });
}

test.serial('a connection that breaks off in a body is one line in the log', async (t) => {
  const all = await started(t);
  const lines = all.server.logged.length;
  const { hostname, port } = new URL(all.server.url);
  const socket = connect(Number(port), hostname);
  socket.write(`${HEAD}xx`);
  await new Promise((resolve) => setTimeout(resolve, 100));
  socket.resetAndDestroy();
  while (all.server.logged.length === lines) await new Promise((resolve) => setTimeout(resolve, 20));
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.deepEqual(
    all.server.logged.slice(lines).map(({ event }) => event),
    ['connection.broken'],
  );
});

test.serial('many bombs at once cost no more memory than a few', async (t) => {
  const all = await started(t, { body: 200_000, decompressed: 16 * 1024 * 1024 });
  const bomb = Buffer.alloc(60_000_000, 0x20);
  const before = process.memoryUsage.rss();
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 5);
  const answers = [];
  for (let round = 0; round < 2; round++) {
    answers.push(
      ...(await Promise.all(Array.from({ length: 10 }, () => submit(all.client, null, { raw: bomb, gzip: true })))),
    );
  }
  clearInterval(watch);
  // Twins whose numbers overtook one another are refused as replayed; none is inflated beyond its limit.
  t.deepEqual(
    [...new Set(answers.map(({ status }) => status))].filter((status) => status !== 409),
    [413],
  );
  t.true(peak - before < 300 * 1024 * 1024, `${(peak - before) / 1024 / 1024} MiB`);
});

/** Sends more than a body may hold, and stays there without ending it. @returns once the refusal has come */
function overflow(t: ExecutionContext, { url }: TestServer, chunk: Buffer, count: number): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  t.teardown(() => socket.destroy());
  const head = HEAD.replace('Content-Length: 1000', 'Transfer-Encoding: chunked');
  socket.write(head);
  for (let sent = 0; sent < count; sent++) {
    socket.write(`${chunk.length.toString(16)}\r\n`);
    socket.write(chunk);
    socket.write('\r\n');
  }
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.once('data', (answer: Buffer) => {
      if (answer.toString().startsWith('HTTP/1.1 413 ')) resolve(socket);
      else reject(new Error(answer.toString()));
    });
  });
}

test.serial('what was read of bodies that are too large is let go, though their senders never end', async (t) => {
  const server = await startTestServer(t, { settings: { limits: { body: 4_000_000 } } });
  setFlagsFromString('--expose-gc');
  const collectGarbage: () => void = runInNewContext('gc');
  const chunk = Buffer.alloc(500_000, 0x20);
  collectGarbage();
  const before = process.memoryUsage().arrayBuffers;
  for (let round = 0; round < 20; round++) await overflow(t, server, chunk, 9);
  collectGarbage();
  const held = process.memoryUsage().arrayBuffers - before;
  t.true(held < 20_000_000, `${held} bytes of 80,000,000 are held`);
});

/** Sends all of a body but its end, and waits. */
function trickle(t: ExecutionContext, { url }: TestServer, size: number, from: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  t.teardown(() => socket.destroy());
  const head = HEAD.replace('Content-Length: 1000', `Content-Length: ${size + 1}\r\nX-Forwarded-For: ${from}`);
  socket.write(head);
  socket.write(Buffer.alloc(size, 0x20));
  return socket;
}

test.serial('a client that ends none of many bodies leaves room for the others', async (t) => {
  const server = await startTestServer(t, { settings: { trusted_proxies: ['127.0.0.1/32'] } });
  const client = await enrolledClient(server, 'penguin-07');
  // From all over one /64: a quarter of the budget holds 16 of them.
  const sockets = Array.from({ length: 40 }, (_, number) => trickle(t, server, 4_000_000, `2001:db8::${number + 1}`));
  let refused = 0;
  await new Promise<void>((resolve) => {
    for (const socket of sockets) {
      socket.on('error', () => undefined);
      socket.once('data', (answer: Buffer) => {
        if (answer.toString().startsWith('HTTP/1.1 503 ') && ++refused === 24) resolve();
      });
    }
  });
  const other = trickle(t, server, 3_000_000, '2001:db8:0:1::1');
  other.write(' ');
  const [answer] = await once(other, 'data');
  t.regex(String(answer), /^HTTP\/1\.1 401 /, 'read to its end, and then found to be without a signature');
  t.is((await client.submit(GOOD)).status, 200);
});

test.serial(
  'what bodies are once inflated counts too: more than the server can hold at once are told to come again',
  async (t) => {
    const store = await temporaryStore(t, 'embedded', { clock: realClock });
    let stalled: Promise<unknown> = Promise.resolve();
    const slow: Store = {
      ...store,
      hosts: {
        ...store.hosts,
        findByKey: async (key) => {
          await stalled;
          return store.hosts.findByKey(key);
        },
      },
    };
    const server = await startTestServer(t, { store: slow });
    const client = await enrolledClient(server, 'penguin-07');
    await client.submit(GOOD);
    let goOn: () => void = () => undefined;
    stalled = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const large = message(client, { list: {}, bodies: { ['a'.repeat(64)]: 'x'.repeat(15_000_000) } });
    const answers: Promise<{ status: number; json: Record<string, unknown> }>[] = [];
    for (let sent = 0; sent < 20; sent++) answers.push(submit(client, large, { gzip: true }));
    const first = await Promise.race(answers);
    t.is(first.status, 503);
    t.is(first.json['reason'], 'cannot take more requests at once; come again');
    goOn();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    t.true(statuses.filter((status) => status !== 503).length >= 10, String(statuses));
  },
);
