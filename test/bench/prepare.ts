/**
 * Fills a server's store with hosts that have reported, and writes the requests that they send next, signed: so that the load generator only sends.
 *   node prepare.mjs KIND SETTINGS-FILE AUTHORITY COUNT OUT-FILE
 * KIND: `v1` (one key for all, as the original), `v2-full` (a changed report of 6 KB), `v2-quiet` (nothing changed)
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createMessage, readPrivateKey, sign } from 'openpgp';
import { systemClock, systemRandom } from '../../src/bin/world.ts';
import type { Digest, HostId } from '../../src/core/host.ts';
import type { Fields } from '../../src/core/value.ts';
import { generateSigningKey, loadSigningKey, type SigningKey } from '../../src/crypto/ed25519.ts';
import { signRequest } from '../../src/crypto/http-signature.ts';
import { loadServerSettings } from '../../src/settings/load-server-settings.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/port.ts';
import { bodyDigest, contentDigest, listDigest } from '../../src/wire/v2/digest.ts';
import { SUBMIT } from '../../src/wire/v2/paths.ts';

const [kind, settingsFile = '', authority = '', count = '0', out = ''] = process.argv.slice(2);
const FIXTURES = 'test/fixtures/penguindome-v1';

/** The plugins of a real report of the original client, 6 KB. */
async function realPlugins(): Promise<Fields> {
  const form = new URLSearchParams(await readFile(`${FIXTURES}/02-submit.body`, 'utf8'));
  return JSON.parse(form.get('data') ?? '').plugins;
}

function changed(plugins: Fields, round: number): Fields {
  return {
    ...plugins,
    os_info: { distname: 'Debian GNU/Linux', version: `12.${round}` },
    ip_addresses: { public_ipv4: `192.0.2.${round % 250}` },
  };
}

function listOf(plugins: Fields): { list: Record<string, Digest>; bodies: Record<Digest, unknown> } {
  const list: Record<string, Digest> = {};
  const bodies: Record<Digest, unknown> = {};
  for (const [name, body] of Object.entries(plugins)) {
    const digest = bodyDigest(body);
    list[`plugins.${name}`] = digest;
    bodies[digest] = body;
  }
  return { list, bodies };
}

async function seedHost(
  store: Store,
  epoch: string,
  number: number,
  plugins: Fields,
): Promise<{ key: SigningKey; hostname: string; chain: string }> {
  const key = loadSigningKey(generateSigningKey());
  const hostname = `bench-${number}`;
  const at = systemClock.now();
  const { list } = listOf(plugins);
  await store.hosts.attach(
    hostname,
    {
      host_id: systemRandom.uuid() as HostId,
      keys: [{ id: key.id, public_key: key.publicKey, added_at: at }],
      enrolled_at: at,
      approved_at: at,
      sequence: 1,
      epoch: null,
      last: null,
      digest: null,
      list: {},
    },
    { adopt: false },
  );
  const chain = Buffer.from(systemRandom.bytes(16)).toString('base64url');
  await store.hosts.storeReport({
    key_id: key.id,
    hostname,
    sequence: 2,
    expected_chain: null,
    epoch,
    digest: listDigest(list),
    list,
    answer: { submission: systemRandom.uuid(), chain, at },
    collected_at: at,
    plugins,
    trail: [],
  });
  return { key, hostname, chain };
}

function v2Request(host: { key: SigningKey; hostname: string; chain: string }, plugins: Fields, full: boolean): Buffer {
  const { list, bodies } = listOf(plugins);
  const message = {
    submission: systemRandom.uuid(),
    chain: host.chain,
    hostname: host.hostname,
    collected_at: systemClock.now().toISOString(),
    digest: listDigest(list),
    ...(full ? { list, bodies } : {}),
  };
  const body = Buffer.from(JSON.stringify(message));
  const sequence = String(systemClock.now().getTime() * 1000);
  const parts = { method: 'POST', path: SUBMIT, authority, contentDigest: contentDigest(body), sequence };
  const signature = signRequest(host.key, parts, {
    created: Math.floor(systemClock.now().getTime() / 1000),
    nonce: Buffer.from(systemRandom.bytes(16)).toString('base64url'),
  });
  return httpRequest(SUBMIT, body, {
    'Content-Type': 'application/json',
    'Content-Digest': parts.contentDigest,
    'Penguindome-Sequence': sequence,
    'Signature-Input': signature['signature-input'],
    Signature: signature.signature,
  });
}

function httpRequest(path: string, body: Buffer, headers: Record<string, string>): Buffer {
  const lines = Object.entries({ Host: authority, ...headers, 'Content-Length': String(body.length) });
  return Buffer.concat([
    Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`),
    body,
  ]);
}

async function v1Requests(plugins: Fields): Promise<Buffer[]> {
  const signingKeys = await readPrivateKey({ armoredKey: await readFile(`${FIXTURES}/client-secret.asc`, 'utf8') });
  const requests: Buffer[] = [];
  for (let number = 0; number < Number(count); number += 1) {
    const data = JSON.stringify({
      hostname: `bench-${number % 500}`,
      collected_at: systemClock.now().toISOString(),
      plugins: changed(plugins, number),
    });
    const signature = await sign({
      message: await createMessage({ binary: Buffer.from(data) }),
      signingKeys,
      detached: true,
      format: 'armored',
    });
    const body = Buffer.from(new URLSearchParams({ data, signature: String(signature) }).toString());
    requests.push(httpRequest('/penguindome/v1/submit', body, { 'Content-Type': 'application/x-www-form-urlencoded' }));
  }
  return requests;
}

async function v2Requests(plugins: Fields): Promise<Buffer[]> {
  const settings = await loadServerSettings(settingsFile);
  const store = await openStore(settings.store, { clock: systemClock, random: systemRandom });
  const { epoch } = await store.state();
  const requests: Buffer[] = [];
  try {
    for (let from = 0; from < Number(count); from += 50) {
      const hosts = await Promise.all(
        Array.from({ length: Math.min(50, Number(count) - from) }, (_, index) =>
          seedHost(store, epoch, from + index, plugins),
        ),
      );
      for (const host of hosts) {
        requests.push(
          kind === 'v2-full'
            ? v2Request(host, changed(plugins, requests.length), true)
            : v2Request(host, plugins, false),
        );
      }
    }
  } finally {
    await store.close();
  }
  return requests;
}

const plugins = await realPlugins();
const requests = kind === 'v1' ? await v1Requests(plugins) : await v2Requests(plugins);
const framed = requests.flatMap((request) => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(request.length);
  return [length, request];
});
await writeFile(out, Buffer.concat(framed));
console.log(JSON.stringify({ requests: requests.length, bytes: requests[0]?.length }));
