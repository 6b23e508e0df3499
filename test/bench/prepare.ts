/**
 * Fills a server's store with hosts that have reported, and writes what they send next, signed: so that the load generator only sends.
 *   node prepare.mjs KIND SETTINGS-FILE AUTHORITY COUNT OUT-FILE
 * KIND: `v1` (one key for all, as the original), `v2-full` (a changed report of 6 KB), `v2-quiet` (nothing changed), `v2-quiet-close`
 * (and the connection ends), `hosts` (no requests: the hosts themselves, for simulate.ts)
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createMessage, readPrivateKey, sign } from 'openpgp';
import { loadJudge } from '../../src/audit/judge.ts';
import { systemClock, systemRandom } from '../../src/bin/world.ts';
import type { Fields } from '../../src/core/value.ts';
import { loadServerSettings } from '../../src/settings/load-server-settings.ts';
import { openStore } from '../../src/store/open.ts';
import { listDigest } from '../../src/wire/v2/digest.ts';
import { httpRequest, submitRequest } from './requests.ts';
import { FIXTURES, listOf, realPlugins, type SeededHost, seedHosts } from './seed.ts';

const [kind = '', settingsFile = '', authority = '', count = '0', out = ''] = process.argv.slice(2);

function changed(plugins: Fields, round: number): Fields {
  return {
    ...plugins,
    os_info: { distname: 'Debian GNU/Linux', version: `12.${round}` },
    ip_addresses: { public_ipv4: `192.0.2.${round % 250}` },
  };
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
    const headers = { Host: authority, 'Content-Type': 'application/x-www-form-urlencoded' };
    requests.push(httpRequest('/penguindome/v1/submit', body, headers));
  }
  return requests;
}

function v2Request(host: SeededHost, plugins: Fields, number: number): Buffer {
  const { list, bodies } = listOf(kind === 'v2-full' ? changed(plugins, number) : plugins);
  const content = kind === 'v2-full' ? { digest: listDigest(list), list, bodies } : { digest: host.digest };
  return submitRequest(host, content, {
    authority,
    now: systemClock.now(),
    submission: systemRandom.uuid(),
    nonce: Buffer.from(systemRandom.bytes(16)).toString('base64url'),
    close: kind === 'v2-quiet-close',
  });
}

async function fromHosts<T>(plugins: Fields, make: (host: SeededHost, number: number) => T): Promise<T[]> {
  const settings = await loadServerSettings(settingsFile);
  const { judge } = await loadJudge(['checks.d', ...settings.checks]);
  const store = await openStore(settings.store, { clock: systemClock, random: systemRandom });
  const made: T[] = [];
  try {
    for await (const host of seedHosts({ store, judge }, Number(count), plugins)) made.push(make(host, made.length));
  } finally {
    await store.close();
  }
  return made;
}

async function writeRequests(requests: Buffer[]): Promise<void> {
  const framed = requests.flatMap((request) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(request.length);
    return [length, request];
  });
  await writeFile(out, Buffer.concat(framed));
}

const plugins = await realPlugins();
if (kind === 'hosts') {
  const hosts = await fromHosts(plugins, ({ hostname, pem, chain, digest }) =>
    JSON.stringify({ hostname, key: pem, chain, digest }),
  );
  await writeFile(out, `${hosts.join('\n')}\n`, { mode: 0o600 });
} else if (kind === 'v1') await writeRequests(await v1Requests(plugins));
else await writeRequests(await fromHosts(plugins, (host, number) => v2Request(host, plugins, number)));
