import { carryOver } from '../../src/audit/carry-over.ts';
import { noteChanges } from '../../src/audit/changes.ts';
import type { Judgement } from '../../src/core/check.ts';
import type { Store } from '../../src/store/port.ts';
import { forEachStore } from '../support/stores.ts';

const AT = new Date('2026-03-02T10:00:00Z');
const LATER = new Date('2026-03-02T10:00:05Z');

function judgement(fails: boolean, at: Date): Judgement {
  const result = { answer: fails ? 'fail' : 'pass', fails, evidence: {}, since: at } as const;
  return { version: 'v', evaluated_at: at, results: { firewall: result } };
}

async function report(store: Store, fails: boolean, at: Date): Promise<void> {
  await store.hosts.storeV1({
    hostname: 'lap',
    at,
    plugins: { at: at.toISOString() },
    checks: judgement(fails, at),
    trail: [],
  });
}

async function openNames(store: Store): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of store.issues.listOpen()) names.push(name);
  return names;
}

forEachStore((kind, test, prepare) => {
  test(`${kind}: what a report said that came in between is what stays`, async (t) => {
    const store = await (await prepare(t)).open();
    await report(store, true, AT);
    const before = await store.hosts.find('lap');
    await report(store, false, LATER);
    // The server is done with the new report before the audit gets to the old one.
    await store.issues.reconcile('lap', [], ['firewall'], LATER);
    await store.hosts.settle('lap', LATER);
    const changes = noteChanges();
    await carryOver(
      store,
      { hostname: 'lap', ...(before?.checks && { checks: before.checks }) },
      undefined,
      LATER,
      changes,
    );
    t.deepEqual(await openNames(store), []);
    t.deepEqual([changes.opened.length, changes.closed.length], [1, 1]);
  });

  test(`${kind}: a host that was forgotten in between is left alone`, async (t) => {
    const store = await (await prepare(t)).open();
    await report(store, false, AT);
    const before = await store.hosts.find('lap');
    await store.hosts.forget('lap', LATER);
    await carryOver(
      store,
      { hostname: 'lap', ...(before?.checks && { checks: before.checks }) },
      undefined,
      LATER,
      noteChanges(),
    );
    t.deepEqual(await openNames(store), []);
  });
});
