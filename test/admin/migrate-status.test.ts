import { migrateStatus } from '../../src/admin/migrate-status.ts';
import { enrolledHost } from '../support/documents.ts';
import { whenPresent } from '../support/needs.ts';
import { adminSite, NOW } from './admin-site.ts';

const before = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000);

for (const kind of ['embedded', 'mongo standalone'] as const) {
  const present = kind === 'embedded' || process.env['PENGUINDOME_TEST_MONGO_STANDALONE'] !== undefined;
  const test = whenPresent(present, `migrate status on ${kind}: no mongod`);

  test(`${kind}: the hosts of v1 are listed, since when they are known and when they came last; those of v2 are counted`, async (t) => {
    const site = await adminSite(t, kind);
    const { store } = site;
    const nobody = (await site.run(migrateStatus)).out;
    t.regex(nobody, /^0 still speak v1, 0 have enrolled\.\n$/);
    const change = { hostname: 'old', key: 'plugins.a', type: 'add' as const, new: 1 };
    await store.hosts.storeV1({
      hostname: 'old',
      at: before(90),
      plugins: { a: 1 },
      trail: [{ ...change, audited_at: before(90) }],
    });
    await store.hosts.storeV1({
      hostname: 'old',
      at: before(5),
      plugins: { a: 2 },
      trail: [{ ...change, audited_at: before(5) }],
    });
    await store.hosts.storeV1({ hostname: 'quiet', at: before(7), plugins: {}, trail: [] });
    await enrolledHost(store, { hostname: 'new' });
    await enrolledHost(store, { hostname: 'both' });
    await store.issues.open('both', 'downgraded-identity', NOW);
    t.deepEqual(await site.json(migrateStatus), {
      v1_enabled: false,
      v1: [
        {
          hostname: 'old',
          since: before(90).toISOString(),
          last_seen: before(5).toISOString(),
          suspended: false,
          moving: null,
        },
        { hostname: 'quiet', since: null, last_seen: before(7).toISOString(), suspended: false, moving: null },
      ],
      v2: 2,
      still_running: ['both'],
    });
    const { out, err } = await site.run(migrateStatus);
    t.regex(out, /^HOST +KNOWN SINCE +LAST SEEN +MOVING\nold +2026-11-23 10:30Z +5m ago +-\nquiet +- +7m ago +-\n/);
    t.regex(out, /\nboth has enrolled, and its original client still reports: remove it there\n/);
    t.regex(out, /\n2 still speak v1, 2 have enrolled\.\n$/);
    t.regex(err, /v1 is off: they are refused/);
  });
}
