import fc from 'fast-check';
import { v7 } from 'uuid';
import type { CheckResult, Judgement } from '../../src/core/check.ts';
import type { HostFacts } from '../../src/core/host.ts';
import type { Store, StoredDocument } from '../../src/store/port.ts';
import { forEachStore } from '../support/stores.ts';

const at = (hour: number) => new Date(Date.UTC(2026, 10, 23, hour, 0, 0, 7));

const judgement = (results: Record<string, CheckResult>): Judgement => ({
  version: 'v',
  evaluated_at: at(12),
  results,
});

const MIXED = judgement({
  disk: { answer: 'fail', fails: true, evidence: { 'plugins.$disk.x': [null, at(3)] }, since: at(11) },
  firewall: { answer: 'pass', fails: false, since: at(10) },
  grub: { answer: 'pass', fails: false, since: at(11) },
  sshd: { answer: 'unknown', fails: false, since: at(10) },
  swap: { answer: 'pass', fails: false, since: at(10) },
  'two words': { answer: 'pass', fails: false, since: at(10) },
  usb: { answer: 'unknown', fails: true, evidence: {}, reason: 'nothing was reported', since: at(9) },
});

async function factsOf(store: Store, checks?: string[]): Promise<HostFacts | undefined> {
  for await (const facts of store.hosts.facts({ hostnames: ['a'] }, checks)) return facts;
  return undefined;
}

async function* each(documents: StoredDocument[]): AsyncGenerator<StoredDocument> {
  yield* documents;
}

forEachStore((kind, test, prepare) => {
  test(`${kind}: a judgement comes back as it was given, whatever its answers bear`, async (t) => {
    const store = await (await prepare(t)).open();
    await store.hosts.storeV1({ hostname: 'a', at: at(1), plugins: {}, trail: [] });
    const result: fc.Arbitrary<CheckResult> = fc.record(
      {
        answer: fc.constantFrom('pass', 'fail', 'unknown'),
        fails: fc.boolean(),
        since: fc.integer({ min: 1, max: 3 }).map(at),
        evidence: fc.constantFrom({}, { 'a.$b': null }, { __proto__: null, x: [at(2)] }),
        reason: fc.constantFrom('', 'r'),
      },
      { requiredKeys: ['answer', 'fails', 'since'] },
    );
    const name = fc.constantFrom('a', 'b', 'b-c', 'c', 'd', '1', 'two words', ' ', '', 'a.b', '$c');
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, result, { noNullPrototype: true }), async (results) => {
        t.true(await store.hosts.saveJudgement('a', at(1), judgement(results)));
        t.deepEqual((await store.hosts.find('a'))?.checks, judgement(results));
      }),
      { numRuns: 50 },
    );
  });

  test(`${kind}: of a host's checks those are told that are asked for`, async (t) => {
    const store = await (await prepare(t)).open();
    await store.hosts.storeV1({ hostname: 'a', at: at(1), plugins: {}, checks: MIXED, trail: [] });
    const { disk, grub, swap } = MIXED.results;
    t.deepEqual((await factsOf(store, ['disk', 'grub', 'nobody', 'swap', 'wap']))?.results, { disk, grub, swap });
    t.deepEqual((await factsOf(store))?.results, {});
  });

  test(`${kind}: what a version before stored of the checks is read, each answer an object`, async (t) => {
    const store = await (await prepare(t)).open();
    const results: Record<string, CheckResult> = {
      disk: { answer: 'fail', fails: true, evidence: { 'plugins.disk': [null] }, since: at(11) },
      firewall: { answer: 'pass', fails: false, evidence: { 'plugins.firewall.status': 'on' }, since: at(10) },
      sshd: { answer: 'unknown', fails: false, evidence: {}, reason: 'nothing was reported', since: at(10) },
    };
    // as the versions before wrote it, with keys escaped
    const written = JSON.parse(JSON.stringify(results).replaceAll('plugins.', 'plugins\u241b2e'));
    for (const result of Object.values<{ since: unknown }>(written)) result.since = new Date(String(result.since));
    const document = { hostname: 'a', plugins: {}, checks: { ...judgement({}), results: written }, settled: true };
    await store.upkeep.import(each([{ collection: 'clients', document }]), v7());
    t.deepEqual((await store.hosts.find('a'))?.checks, judgement(results));
    const { firewall, sshd } = results;
    t.deepEqual((await factsOf(store, ['firewall', 'sshd']))?.results, { firewall, sshd });
  });
});
