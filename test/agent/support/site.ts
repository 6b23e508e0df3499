import { createHash, randomBytes } from 'node:crypto';
import { createServer as createHttp, type IncomingHttpHeaders, request, type Server } from 'node:http';
import { createServer as createHttps, type Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { ExecutionContext } from 'ava';
import { makeJudge } from '../../../src/audit/judge.ts';
import type { EventName, Log } from '../../../src/core/events.ts';
import { type AnswerKeys, onlyAnswerKey } from '../../../src/crypto/answer-keys.ts';
import {
  type CertificateAndKey,
  certificateFingerprint,
  makeAuthority,
  makeServerCertificate,
} from '../../../src/crypto/certificates.ts';
import { generateSigningKey, loadSigningKey, type SigningKey } from '../../../src/crypto/ed25519.ts';
import { passwords } from '../../../src/crypto/passwords.ts';
import { createApp } from '../../../src/server/app.ts';
import { markArrival } from '../../../src/server/arrival.ts';
import { compileAccess } from '../../../src/server/login/access.ts';
import { alone } from '../../../src/server/shared.ts';
import { watchStore } from '../../../src/server/store-watch.ts';
import { NO_ACCOUNTS } from '../../../src/settings/accounts.ts';
import { serverSettings } from '../../../src/settings/server-settings.ts';
import { type IdentityLog, openIdentityLog } from '../../../src/store/identity-log.ts';
import type { Store } from '../../../src/store/port.ts';
import { encodeToken } from '../../../src/wire/v2/token.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { temporaryStore } from '../../support/stores.ts';
import { realClock, realRandom } from '../../support/world.ts';

export interface Passing {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** as sent */
  body: Buffer;
  /** decompressed and parsed */
  message: Record<string, unknown>;
  /** of the whole request, headers included */
  bytes: number;
}

export interface Answered {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** What stands between agent and server: gives an answer, or undefined to break the connection off. */
export type Meddle = (passing: Passing, next: () => Promise<Answered>) => Promise<Answered | undefined>;

export interface LoggedEvent {
  name: EventName;
  [field: string]: unknown;
}

/** The real server, in this process and behind a real HTTPS port where a test may meddle with what passes. */
export interface Site {
  url: string;
  store: Store;
  identities: IdentityLog;
  /** the server's log so far */
  logged: LoggedEvent[];
  authority: CertificateAndKey;
  /** of the present and, in tests of rotations, replaced as a SIGHUP does it */
  answerKeys: AnswerKeys;
  answerKey: SigningKey;
  /** the public half of the server's first order key, and its fingerprint; a test that sends orders sets it before it makes tokens */
  orderKey: { key: string; fingerprint: string } | undefined;
  /** SHA-256 of its certificate */
  pin: string;
  /** all that passed, in order */
  passed: Passing[];
  meddle(how: Meddle | undefined): void;
  /** The server looks after its store, and who has orders to fetch, as it does each second otherwise. */
  look(): Promise<void>;
  /** the text of a token */
  token(options?: { approve?: boolean; uses?: number; url?: string; trust?: object }): Promise<string>;
}

let authority: Promise<CertificateAndKey> | undefined;
let certificate: Promise<CertificateAndKey> | undefined;

const world = () => ({ now: new Date(), random: realRandom });

/** RSA keys take a second each: one for a whole file of tests. */
export async function certificates(): Promise<{ authority: CertificateAndKey; certificate: CertificateAndKey }> {
  authority ??= makeAuthority(world(), 'test');
  const ready = await authority;
  certificate ??= makeServerCertificate(world(), ready, ['localhost', '127.0.0.1']);
  return { authority: ready, certificate: await certificate };
}

export interface SiteOptions {
  /** embedded, where none is given */
  store?: Store;
  /** settings of that name */
  agents?: Record<string, string>;
  /** a new one, where none is given */
  identities?: IdentityLog;
}

export async function startSite(
  t: ExecutionContext,
  limits: Record<string, number> = {},
  options: SiteOptions = {},
): Promise<Site> {
  const { authority, certificate } = await certificates();
  const store = options.store ?? (await temporaryStore(t));
  const identities = options.identities ?? openIdentityLog(join(await scratchFolder(t), 'identities.log'));
  const logged: LoggedEvent[] = [];
  const answerKey = loadSigningKey(generateSigningKey());
  const keys: { current: AnswerKeys; order: Site['orderKey'] } = {
    current: onlyAnswerKey(answerKey),
    order: undefined,
  };
  const given = { store, identities, logged, answerKeys: () => keys.current, firstOrderKey: () => keys.order?.key };
  const { port: server, look } = await startApp(t, given, { limits, agents: options.agents ?? {} });
  const passed: Passing[] = [];
  let meddle: Meddle | undefined;
  const front = createHttps({ cert: certificate.certificate, key: certificate.key }, (incoming, outgoing) => {
    void (async () => {
      const pieces: Buffer[] = [];
      for await (const piece of incoming) pieces.push(piece);
      const body = Buffer.concat(pieces);
      const { headers, url: path = '', method = 'POST' } = incoming;
      const head = [`${method} ${path} HTTP/1.1`, ...pairs(incoming.rawHeaders), '', ''].join('\r\n');
      const passing = { method, path, headers, body, message: parse(headers, body), bytes: head.length + body.length };
      passed.push(passing);
      const next = () => forward(server, passing);
      const answered = await (meddle === undefined ? next() : meddle(passing, next));
      if (answered === undefined) {
        incoming.socket.destroy();
        return;
      }
      const { 'transfer-encoding': _, connection: __, ...kept } = answered.headers;
      outgoing.writeHead(answered.status, { ...kept, 'content-length': answered.body.length });
      outgoing.end(answered.body);
    })().catch((error: unknown) => incoming.socket.destroy(error instanceof Error ? error : undefined));
  });
  const url = `https://localhost:${await listen(t, front)}`;
  return {
    url,
    store,
    identities,
    logged,
    authority,
    get answerKeys() {
      return keys.current;
    },
    set answerKeys(next) {
      keys.current = next;
    },
    answerKey,
    get orderKey() {
      return keys.order;
    },
    set orderKey(next) {
      keys.order = next;
    },
    pin: certificateFingerprint(certificate.certificate),
    passed,
    meddle: (how) => {
      meddle = how;
    },
    look,
    token: async (options = {}) => {
      const secret = randomBytes(32).toString('base64url');
      const now = new Date();
      await store.tokens.insert({
        id: realRandom.uuid(),
        hash: createHash('sha256').update(secret).digest('hex'),
        created_at: now,
        expires_at: new Date(now.getTime() + 3_600_000),
        uses: options.uses ?? 1,
        used_by: [],
        approve: options.approve ?? true,
      });
      return encodeToken({
        secret,
        url: options.url ?? url,
        ...(options.trust ?? { ca: authority.certificate }),
        answer_key: keys.current.newest.key.publicKey,
        ...(keys.current.newest.number === 0 ? {} : { answer_number: keys.current.newest.number }),
        order_key: keys.order?.fingerprint ?? 'A'.repeat(40),
      });
    },
  };
}

interface Given {
  store: Store;
  identities: IdentityLog;
  logged: LoggedEvent[];
  answerKeys: () => AnswerKeys;
  firstOrderKey: () => string | undefined;
}

async function startApp(
  t: ExecutionContext,
  { store, identities, logged, answerKeys, firstOrderKey }: Given,
  changed: Record<string, object>,
): Promise<{ port: number; look: () => Promise<void> }> {
  const settings = serverSettings.parse({
    public_url: 'https://localhost',
    ports: [{ port: 0, tls: false }],
    store: { kind: 'embedded', file: 'unused' },
    state: 'unused',
    pki: 'unused',
    keys: 'unused',
    ...changed,
  });
  const log: Log = { event: (name, fields = {}) => void logged.push({ name, ...fields }) };
  const watch = watchStore({ store, clock: realClock, log });
  await watch.look();
  const { koa, refreshOrders } = createApp({
    store,
    watch,
    settings: () => settings,
    judge: () => makeJudge([]),
    v1Keys: () => [],
    access: () => compileAccess({ auth: settings.server_auth, accounts: NO_ACCOUNTS, upgrades: {} }),
    passwords,
    answerKeys,
    firstOrderKey,
    identities,
    clock: realClock,
    random: realRandom,
    log,
    shared: alone({ clock: realClock, random: realRandom }),
  });
  const handle = koa.callback();
  const arrival = { port: 'test', local: false, deprecated: false, scheme: 'https' } as const;
  const port = await listen(
    t,
    createHttp((incoming, outgoing) => {
      markArrival(incoming, () => arrival);
      void handle(incoming, outgoing);
    }),
  );
  const look = async () => {
    await watch.look();
    if (watch.health().state === 'up') await refreshOrders();
  };
  return { port, look };
}

export async function listen(t: ExecutionContext, server: Server | HttpsServer, host = '127.0.0.1'): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const address: AddressInfo | string | null = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function forward(port: number, { method, path, headers, body }: Passing): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const passed = request({ host: '127.0.0.1', port, path, method, headers, agent: false });
    passed.on('error', reject);
    passed.on('response', (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) }),
      );
      response.on('error', reject);
    });
    passed.end(body);
  });
}

function pairs(raw: readonly string[]): string[] {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${raw[index + 1]}`] : []));
}

function parse(headers: IncomingHttpHeaders, body: Buffer): Record<string, unknown> {
  if (body.length === 0) return {};
  return JSON.parse((headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString('utf8'));
}
