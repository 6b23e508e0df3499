import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { StoreUnavailable } from '../../src/core/errors.ts';
import type { KeyId } from '../../src/core/host.ts';
import { createKeyring } from '../../src/server/keyring.ts';
import type { HeldKey } from '../../src/store/port.ts';
import { anEnrollment, enrolledHost } from '../support/documents.ts';
import { temporaryStore } from '../support/stores.ts';

/** A store of hosts that counts how often it is asked for one key, and for all. */
async function fleet(t: ExecutionContext, size: number) {
  const store = await temporaryStore(t);
  const hosts = await Promise.all(Array.from({ length: size }, () => enrolledHost(store)));
  const asked = { one: 0, all: 0 };
  const keys = {
    findKey: (id: KeyId) => {
      asked.one += 1;
      return store.hosts.findKey(id);
    },
    keys: (): AsyncIterable<HeldKey> => {
      asked.all += 1;
      return store.hosts.keys();
    },
  };
  return { store, hosts, asked, keys };
}

test('the first host that comes has all keys read, and no other asks the store for its own', async (t) => {
  const { store, hosts, asked, keys } = await fleet(t, 150);
  const keyring = createKeyring({ ...store, hosts: { ...store.hosts, ...keys } });
  const [first, ...others] = hosts;
  t.is((await keyring.find(first?.key_id ?? t.fail()))?.hostname, first?.hostname);
  await sleep(100);
  for (const { key_id, hostname } of others) t.is((await keyring.find(key_id))?.hostname, hostname);
  t.deepEqual(asked, { one: 1, all: 1 });
});

test('a key that enrolled after that, or still waits, is found all the same, and an unknown one is not', async (t) => {
  const { store, hosts } = await fleet(t, 2);
  const keyring = createKeyring(store);
  await keyring.find(hosts[0]?.key_id ?? t.fail());
  await sleep(50);
  const late = await enrolledHost(store);
  t.is((await keyring.find(late.key_id))?.hostname, late.hostname);
  const waiting = anEnrollment();
  await store.enrollments.insert(waiting);
  t.is((await keyring.find(waiting.key_id))?.hostname, waiting.hostname);
  t.is(await keyring.find(anEnrollment().key_id), undefined);
});

test('a store that fails while all keys are read is asked again by the next host', async (t) => {
  const { store, hosts, asked, keys } = await fleet(t, 3);
  const failing = {
    ...keys,
    // biome-ignore lint/correctness/useYield: it fails before it has any
    keys: async function* (): AsyncGenerator<HeldKey> {
      asked.all += 1;
      throw new StoreUnavailable('gone');
    },
  };
  const keyring = createKeyring({ ...store, hosts: { ...store.hosts, ...failing } });
  for (const { key_id, hostname } of hosts) {
    t.is((await keyring.find(key_id))?.hostname, hostname);
    await sleep(10);
  }
  t.deepEqual(asked, { one: 3, all: 3 });
});
