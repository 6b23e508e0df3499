import { readFile } from 'node:fs/promises';
import { systemClock, systemRandom } from '../../src/bin/world.ts';
import type { Judge } from '../../src/core/check.ts';
import type { Digest, HostId } from '../../src/core/host.ts';
import { judgedDocument } from '../../src/core/judged.ts';
import type { Fields } from '../../src/core/value.ts';
import { generateSigningKey, loadSigningKey, type SigningKey } from '../../src/crypto/ed25519.ts';
import { carryOver } from '../../src/server/submission/judge-report.ts';
import type { Store } from '../../src/store/port.ts';
import { bodyDigest, listDigest } from '../../src/wire/v2/digest.ts';

export const FIXTURES = 'test/fixtures/penguindome-v1';

export interface SeededHost {
  hostname: string;
  key: SigningKey;
  /** PKCS #8 PEM */
  pem: string;
  chain: string;
  digest: Digest;
}

/** The plugins of a real report of the original client, 6 KB. */
export async function realPlugins(): Promise<Fields> {
  const form = new URLSearchParams(await readFile(`${FIXTURES}/02-submit.body`, 'utf8'));
  return JSON.parse(form.get('data') ?? '').plugins;
}

export function listOf(plugins: Fields): { list: Record<string, Digest>; bodies: Record<Digest, unknown> } {
  const list: Record<string, Digest> = {};
  const bodies: Record<Digest, unknown> = {};
  for (const [name, body] of Object.entries(plugins)) {
    const digest = bodyDigest(body);
    list[`plugins.${name}`] = digest;
    bodies[digest] = body;
  }
  return { list, bodies };
}

const AT_ONCE = 50;

/** Puts hosts into the store that have enrolled, and reported once: judged, and with their issues, as the server leaves them. */
export async function* seedHosts(
  { store, judge }: { store: Store; judge: Judge },
  count: number,
  plugins: Fields,
): AsyncGenerator<SeededHost> {
  const { epoch } = await store.state();
  for (let from = 0; from < count; from += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, index) => from + index);
    yield* await Promise.all(numbers.map((number) => seedHost({ store, judge }, { epoch, number, plugins })));
  }
}

async function seedHost(
  { store, judge }: { store: Store; judge: Judge },
  { epoch, number, plugins }: { epoch: string; number: number; plugins: Fields },
): Promise<SeededHost> {
  const pem = generateSigningKey();
  const key = loadSigningKey(pem);
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
  const chain = Buffer.from(systemRandom.bytes(18)).toString('base64url');
  const digest = listDigest(list);
  const times = { collected_at: at, submitted_at: at };
  const checks = judge.judge(judgedDocument({ hostname, plugins, ...times }), undefined, at);
  await store.hosts.storeReport({
    key_id: key.id,
    hostname,
    sequence: 2,
    expected_chain: null,
    epoch,
    digest,
    list,
    answer: { submission: systemRandom.uuid(), chain, at },
    collected_at: at,
    plugins,
    checks,
    trail: [],
  });
  await carryOver({ store, log: { event: () => undefined } }, hostname, {
    checks,
    previous: undefined,
    settled: false,
  });
  return { hostname, key, pem, chain, digest };
}
