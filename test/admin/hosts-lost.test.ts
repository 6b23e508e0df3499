import test from 'ava';
import { enrollmentReplace } from '../../src/admin/enrollment-replace.ts';
import { hostsList } from '../../src/admin/hosts-list.ts';
import { hostsLost } from '../../src/admin/hosts-lost.ts';
import { hostsShow } from '../../src/admin/hosts-show.ts';
import { knownIdentities } from '../../src/admin/known-identities.ts';
import { mergeIdentities } from '../../src/admin/merge-identities.ts';
import type { StoredDocument } from '../../src/store/port.ts';
import { enrolledHost } from '../support/documents.ts';
import { startTestServer } from '../support/server.ts';
import { forEachStore } from '../support/stores.ts';
import { enrolledClient, makeToken, v2Client } from '../support/v2-client.ts';
import { adminSite, NOW, refusal } from './admin-site.ts';

const REPORT = { 'plugins.os_info': { distname: 'Debian', version: '12' } };

forEachStore((kind, test) => {
  test(`${kind}: a lost host may fetch orders and nothing else, until it is found`, async (t) => {
    const site = await adminSite(t, kind);
    const server = await startTestServer(t, { store: site.store });
    const client = await enrolledClient(server, 'lap');
    await client.submit(REPORT);
    const before = await site.store.hosts.find('lap');
    const { out } = await site.run(hostsLost, 'lap');
    t.regex(out, /^lap is lost since 2026-11-23 12:00Z/);
    for (const quiet of [true, false]) {
      const refused = await client.submit({ 'plugins.x': 1 }, { quiet });
      t.deepEqual([refused.status, refused.json['error'], refused.verified], [403, 'lost', true]);
    }
    const gone = await client.submit(REPORT, { quiet: true, extra: { gone: true, hostname: 'thief' } });
    t.is(gone.json['error'], 'lost');
    const sequence = client.nextSequence();
    await client.submit(REPORT, { quiet: true, tweaks: { sequence } });
    t.is((await client.submit(REPORT, { quiet: true, tweaks: { sequence } })).json['error'], 'replayed');
    const update = await client.update();
    t.deepEqual([update.status, update.verified], [200, true]);
    t.is((await client.enroll(await makeToken(site.store))).json['error'], 'lost');
    const after = await site.store.hosts.find('lap');
    t.deepEqual([after?.plugins, after?.submitted_at], [before?.plugins, before?.submitted_at]);
    t.true(server.events('host.lost-seen').length >= 5);
    t.like(server.events('host.lost-seen').at(-2), { host: 'lap', remote: '127.0.0.1', endpoint: 'update' });
    await site.run(hostsLost, 'lap', '--found');
    t.is((await client.submit(REPORT, { quiet: true })).status, 200);
  });

  test(`${kind}: a backup that is restored does not undo the mark, nor its end`, async (t) => {
    const site = await adminSite(t, kind);
    const [lost, found] = [await enrolledHost(site.store), await enrolledHost(site.store)];
    await site.run(hostsLost, found.hostname);
    const backup: StoredDocument[] = [];
    for await (const document of site.store.upkeep.export()) backup.push(document);
    await site.run(hostsLost, found.hostname, '--found');
    await site.run(hostsLost, lost.hostname);
    const known = await knownIdentities(site.store, site.identities);
    const merged = mergeIdentities(
      (async function* () {
        yield* backup;
      })(),
      known,
      NOW,
      { documents: 0, pending: [], revoked: 0 },
    );
    await site.store.upkeep.import(merged, 'another-epoch');
    t.deepEqual((await site.store.hosts.find(lost.hostname))?.identity?.lost_at, NOW);
    t.is((await site.store.hosts.find(found.hostname))?.identity?.lost_at, undefined);
  });

  test(`${kind}: a new machine in the place of a lost one is not lost, in a restored backup either`, async (t) => {
    const site = await adminSite(t, kind);
    const server = await startTestServer(t, { store: site.store });
    await enrolledClient(server, 'lap');
    await site.run(hostsLost, 'lap');
    const fresh = v2Client({ ...server, hostname: 'lap' });
    await fresh.enroll(await makeToken(site.store));
    t.regex((await site.run(enrollmentReplace, 'lap', '--yes')).out, /lost +since .* can fetch no orders any more/);
    t.is((await fresh.submit(REPORT)).status, 200);
    const { lost } = await knownIdentities(site.store, site.identities);
    t.deepEqual([...lost.values()], [undefined]);
  });
});

test('list and show say who is lost', async (t) => {
  const site = await adminSite(t);
  await enrolledHost(site.store, { hostname: 'lap' });
  await enrolledHost(site.store, { hostname: 'desk' });
  t.like(await site.json(hostsLost, 'lap'), { hostname: 'lap', lost_at: NOW.toISOString() });
  t.regex((await site.run(hostsList)).out, /^lap \(lost\) /m);
  t.like(await site.json(hostsList), [{ hostname: 'desk', lost_at: null }, { lost_at: NOW.toISOString() }]);
  t.regex((await site.run(hostsShow, 'lap')).out, /^lost +since 2026-11-23 12:00Z: it may only fetch orders$/m);
  t.like(await site.json(hostsShow, 'lap'), { identity: { lost_at: NOW.toISOString() } });
  t.like(await site.json(hostsLost, 'lap', '--found'), { lost_at: null });
  t.notRegex((await site.run(hostsShow, 'lap')).out, /^lost/m);
});

test('who cannot be marked is named, with why', async (t) => {
  const site = await adminSite(t);
  await site.store.hosts.storeV1({ hostname: 'old', at: NOW, plugins: { a: 1 }, trail: [] });
  t.regex(await refusal(t, site.run(hostsLost, 'nobody')), /cannot find a host named nobody/);
  t.regex(await refusal(t, site.run(hostsLost, 'old')), /speaks the original protocol/);
  t.deepEqual((await site.identities.read()).events, []);
});
