import { once } from 'node:events';
import { aCheckIn, anEnrollment, aReport, aToken, enrolledHost } from '../support/documents.ts';
import { runStoreWorker } from '../support/programs.ts';
import { rounds } from '../support/soak.ts';
import { forEachStore } from '../support/stores.ts';

const ROUNDS = rounds(20, 300);

forEachStore((kind, test, prepare) => {
  test(`${kind}: of two processes that do the same at once, one does it`, async (t) => {
    const place = await prepare(t);
    const store = await place.open();
    const [a, b] = await Promise.all([
      runStoreWorker(t, place.forProgram, 'race'),
      runStoreWorker(t, place.forProgram, 'race'),
    ]);
    for (let round = 0; round < ROUNDS; round++) {
      const host = await enrolledHost(store);
      const token = aToken({ uses: 1, expires_at: new Date('2100-01-01') });
      await store.tokens.insert(token);
      const report = aReport(host);
      const common = { key_id: host.key_id, sequence: report.sequence + 10, token: token.hash, report };
      a.tell({ ...common, newcomer: anEnrollment().key_id });
      b.tell({ ...common, newcomer: anEnrollment().key_id });
      const said = (await Promise.all([a.next(), b.next()])).map((line) => Object(line));
      t.deepEqual(said.map(({ used }) => used).sort(), ['used', 'used-up']);
      t.deepEqual(said.map(({ stored }) => stored).sort(), [false, true]);
      t.deepEqual(said.map(({ spent }) => spent).sort(), ['replayed', 'spent']);
      t.deepEqual(said.map(({ opened }) => opened).sort(), [false, true]);
      t.deepEqual(said.map(({ remembered }) => remembered).sort(), [false, true]);
      const trail = await store.trail.history(host.hostname, { limit: 10 });
      t.deepEqual(trail, report.trail, 'the trail of the one that was stored, once');
    }
  });

  test(`${kind}: of many equal check-ins through two stores, one is accepted`, async (t) => {
    const place = await prepare(t);
    const stores = [await place.open(), await place.open()];
    const store = await place.open();
    const host = await enrolledHost(store);
    const report = aReport(host);
    await store.hosts.storeReport(report);
    const checkIn = aCheckIn(report);
    const accepted = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        stores[index % 2]?.hosts.checkIn({ ...checkIn, answer: { ...checkIn.answer, chain: `chain-${index}` } }),
      ),
    );
    t.is(accepted.filter(Boolean).length, 1);
    const winner = `chain-${accepted.indexOf(true)}`;
    t.is((await store.hosts.find(host.hostname))?.identity?.last?.chain, winner);
  });

  test(`${kind}: the same submission twice at once is stored once, with its trail once`, async (t) => {
    const place = await prepare(t);
    const stores = [await place.open(), await place.open()];
    const host = await enrolledHost(stores[0] ?? t.fail());
    const report = aReport(host);
    const stored = await Promise.all(
      stores.map((store, index) =>
        store.hosts.storeReport({
          ...report,
          sequence: report.sequence + index,
          answer: { ...report.answer, chain: `attempt-${index}` },
        }),
      ),
    );
    t.is(stored.filter(Boolean).length, 1);
    t.is((await stores[0]?.trail.history(host.hostname, { limit: 10 }))?.length, 1);
  });

  test(`${kind}: once a key is revoked nothing more is stored, whatever is under way`, async (t) => {
    const place = await prepare(t);
    const [reporting, operator] = [await place.open(), await place.open()];
    const host = await enrolledHost(reporting);
    let last = aReport(host);
    await reporting.hosts.storeReport(last);
    let revoked = false;
    let storedAfter = 0;
    const report = async () => {
      for (let n = 0; n < 60; n++) {
        const begunAfter = revoked;
        const next = aReport(host, {
          sequence: last.sequence + 1,
          expected_chain: last.answer.chain,
          trail: [],
        });
        if (await reporting.hosts.storeReport(next)) {
          if (begunAfter) storedAfter++;
          last = next;
        }
        await new Promise(setImmediate);
      }
    };
    const revoke = async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await operator.hosts.revokeKey(host.key_id, new Date());
      revoked = true;
    };
    await Promise.all([report(), revoke()]);
    t.is(storedAfter, 0);
    const found = await operator.hosts.find(host.hostname);
    t.deepEqual(found?.identity?.last, last.answer, 'what was acknowledged before is there');
  });

  test(`${kind}: a process that is killed leaves all that it acknowledged`, async (t) => {
    const place = await prepare(t);
    for (let round = 0; round < 3; round++) {
      const worker = await runStoreWorker(t, place.forProgram, 'write', 'x');
      while (Number(await worker.next()) < 40 + 25 * round);
      const closed = once(worker.child, 'close');
      worker.child.kill('SIGKILL');
      await closed;
      await new Promise(setImmediate);
      const acknowledged = Math.max(...worker.rest().map(Number), 40 + 25 * round);
      const store = await place.open();
      const reports: number[] = [];
      for (let n = 0; n < 7; n++) {
        const trail = await store.trail.history(`host-${n}`, { limit: 100_000 });
        reports.push(...trail.map((record) => Number(record.new)));
        const host = await store.hosts.find(`host-${n}`);
        t.is(host?.plugins?.['n'], trail[0]?.new, 'the host is as its trail says');
      }
      reports.sort((a, b) => a - b);
      t.deepEqual(reports, Array.from(reports.keys()), 'each report has its trail, once');
      t.true(reports.length > acknowledged, `${reports.length} reports, ${acknowledged + 1} acknowledged`);
      // the next round writes the same times again
      await store.upkeep.import((async function* () {})(), '00000000-0000-7000-8000-000000000000');
    }
  });
});
