import test from 'ava';
import type { HostAccess } from '../../../src/agent/collector.ts';
import { COLLECTORS } from '../../../src/agent/collectors/index.ts';
import { memory, thisHost } from './host-in-folder.ts';

const COLLECTIONS = 20;
/** A simulated upgrade takes seconds where apt keeps no cache of its package data. */
const SLOW = new Set(['os_updates']);

/** Other tests open and close sockets meanwhile: what listens is looked at twice on a machine of its own (test/e2e/network-facts.test.ts). */
function atRest(host: HostAccess): HostAccess {
  const isSockets = (path: string) => /^\/proc\/net\/(?:tcp|udp)6?$/.test(path);
  return {
    ...host,
    readText: (path, options) => (isSockets(path) ? Promise.resolve('') : host.readText(path, options)),
  };
}

test('collectors are listed by name, each once', (t) => {
  const names = COLLECTORS.map(({ name }) => name);
  t.deepEqual(names, [...new Set(names)].sort());
  for (const name of names) t.regex(name, /^[a-z][a-z0-9_]*$/);
});

for (const collector of COLLECTORS) {
  const times = SLOW.has(collector.name) ? 2 : COLLECTIONS;
  test(`${collector.name}: ${times} collections in a row on this machine are the same to the byte`, async (t) => {
    t.timeout(120_000);
    const host = atRest(thisHost(t));
    const answers = new Set<string>();
    for (let round = 0; round < times; round += 1) answers.add(JSON.stringify(await collector.collect(host, memory())));
    t.is(answers.size, 1, [...answers].join('\n'));
  });

  test(`${collector.name}: on a machine that shows nothing it answers, and does not throw`, async (t) => {
    const nothing = () => Promise.resolve(undefined);
    const denied = () => Promise.reject(new Error('EACCES'));
    const host = { ...thisHost(t), find: nothing, networkInterfaces: () => ({}) };
    for (const look of [nothing, denied]) {
      const answer = await collector.collect(
        { ...host, readText: look, list: look, stat: look, readLink: look },
        memory(),
      );
      t.not(answer, undefined);
      t.notThrows(() => JSON.stringify(answer));
    }
  });
}
