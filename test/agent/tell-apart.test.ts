import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { backup } from '../../src/admin/backup.ts';
import { enrollmentApprove } from '../../src/admin/enrollment-approve.ts';
import { enrollmentReplace } from '../../src/admin/enrollment-replace.ts';
import { restore } from '../../src/admin/restore.ts';
import { days } from '../../src/core/duration.ts';
import { SUBMIT } from '../../src/wire/v2/paths.ts';
import { type AdminSite, adminSite } from '../admin/admin-site.ts';
import { scratchFolder } from '../support/scratch.ts';
import { forEachStore, type StoreKind } from '../support/stores.ts';
import { realClock } from '../support/world.ts';
import { readJson } from './support/machine.ts';
import { type BuiltHost, builtHost, enrolHost, keyOf, reportingHost, reports } from './support/reporting-host.ts';
import { type Site, startSite } from './support/site.ts';

// What looks alike from far, and is not: a clone, a lost answer, a machine that was installed anew, a server that was restored, a wrong clock.
// The agent is the built program, the server the real one over a real store, the operator's word the real command.

const restoreAtOnce = (context: Parameters<typeof restore>[0]) => restore(context, 0);
const YEAR = days(365);

async function started(t: ExecutionContext, kind: StoreKind): Promise<{ admin: AdminSite; site: Site }> {
  const admin = await adminSite(t, kind);
  admin.clock.set(realClock.now());
  return { admin, site: await startSite(t, {}, { store: admin.store, identities: admin.identities }) };
}

async function openIssues({ store }: Site): Promise<string[]> {
  const names: string[] = [];
  for await (const { hostname, name } of store.issues.listOpen()) names.push(`${hostname} ${name}`);
  return names.sort();
}

const logged = (site: Site, name: string): unknown[] =>
  site.logged.filter((event) => event.name === name).map(({ host }) => host);

/** Collects, and tries to hand over. */
async function tries({ run }: BuiltHost): Promise<{ status: number | null; code: unknown; waiting: unknown }> {
  const { status, out } = await run('--json', 'run', '--now');
  const { problem, waiting } = JSON.parse(out).submitted;
  return { status, code: problem?.code, waiting };
}

/** What of the plugin `news` was ever recorded, oldest first. */
async function recorded({ store }: Site, hostname: string): Promise<unknown[]> {
  const trail = await store.trail.history(hostname, { limit: 100 });
  return trail
    .filter(({ key }) => key === 'plugins.news')
    .map((record) => record.new)
    .reverse();
}

const isSaid = async ({ store }: Site, hostname: string): Promise<unknown> =>
  (await store.hosts.find(hostname))?.plugins?.['news'];

async function copyOf(t: ExecutionContext, { machine, hostname }: BuiltHost): Promise<BuiltHost> {
  const state = join(await scratchFolder(t), 'copy');
  await cp(machine.state, state, { recursive: true });
  return builtHost(t, hostname, { state });
}

forEachStore((kind, test) => {
  // The other two kinds decide by the same statements.
  if (kind !== 'embedded' && kind !== 'mongo replica set') return;

  for (const first of ['original', 'clone'] as const) {
    test(`${kind}: of a machine and its clone, the one that reports second is told apart at once (first: the ${first})`, async (t) => {
      const { admin, site } = await started(t, kind);
      const original = await reportingHost(t, site);
      const clone = await copyOf(t, original);
      const [quick, slow] = first === 'original' ? [original, clone] : [clone, original];
      await reports(t, quick);
      t.deepEqual(await openIssues(site), [], 'one of them alone is no clone');
      t.deepEqual(await tries(slow), { status: 4, code: 'forked', waiting: 1 });
      t.deepEqual(await openIssues(site), ['testhost cloned-identity']);
      await reports(t, quick);
      t.deepEqual(await tries(slow), { status: 4, code: 'forked', waiting: 2 });
      await admin.run(enrollmentReplace, 'testhost', '--same-key', '--yes');
      t.deepEqual(await openIssues(site), []);
      await reports(t, slow);
      t.deepEqual((await tries(quick)).code, 'forked', 'while both run, it is found out again');
      t.deepEqual(await openIssues(site), ['testhost cloned-identity']);
    });
  }

  test(`${kind}: a lost answer is not taken for a clone: acknowledged again, stored once, no issue`, async (t) => {
    const { site } = await started(t, kind);
    const host = await builtHost(t);
    await enrolHost(t, site, host);
    for (const text of ['one', 'two', 'three']) {
      await host.says(text);
      site.meddle(async ({ path }, next) => {
        const answered = await next();
        return path === SUBMIT ? undefined : answered;
      });
      t.is((await tries(host)).status, 75);
      t.is(await isSaid(site, 'testhost'), text, 'it was stored all the same');
      site.meddle(undefined);
      const said = await host.run('--json', 'submit');
      t.is(said.status, 0, said.err);
      t.is(JSON.parse(said.out).waiting, 0);
    }
    t.deepEqual(await recorded(site, 'testhost'), ['two', 'three'], 'the first report is no change');
    t.is(logged(site, 'submit.repeated').length, 3);
    t.is(logged(site, 'submit.stored').length, 3);
    t.deepEqual(await openIssues(site), []);
  });

  test(`${kind}: a machine that was installed anew is not taken for a clone: it waits until it is given its place`, async (t) => {
    const { admin, site } = await started(t, kind);
    const before = await reportingHost(t, site);
    const { host_id } = await readJson(before.machine.places.trust);
    await rm(before.machine.state, { recursive: true });
    const anew = await builtHost(t);
    await enrolHost(t, site, anew);
    t.deepEqual(await openIssues(site), ['testhost duplicate-hostname']);
    await anew.says('anew');
    t.deepEqual(await tries(anew), { status: 4, code: 'pending', waiting: 1 });
    t.not(await isSaid(site, 'testhost'), 'anew');
    await admin.run(enrollmentReplace, 'testhost', '--yes');
    await reports(t, anew);
    t.is(await isSaid(site, 'testhost'), 'anew');
    t.is((await readJson(anew.machine.places.trust))['host_id'], host_id);
    t.deepEqual(await openIssues(site), []);
    t.deepEqual(logged(site, 'submit.chain-restarted'), []);
  });

  test(`${kind}: hosts of a server that was restored are not taken for clones: each goes on, once whatever its chain`, async (t) => {
    const { admin, site } = await started(t, kind);
    const host = (name: string) => reportingHost(t, site, name);
    const [still, behind, unanswered, rotated] = [
      await host('still'),
      await host('behind'),
      await host('unanswered'),
      await host('rotated'),
    ];
    const file = join(admin.folder, 'backup.gz');
    await admin.run(backup, file);
    const since = await host('since');
    for (const each of [behind, rotated]) await reports(t, each);
    t.is((await rotated.run('rotate-key')).status, 0);
    await reports(t, rotated);
    const clone = await copyOf(t, behind);
    await unanswered.says('on its way');
    site.meddle(async () => undefined);
    t.is((await tries(unanswered)).status, 75);
    site.meddle(undefined);

    await admin.run(restoreAtOnce, '--yes', file);
    await site.look();
    await behind.says('after');
    for (const each of [still, behind, unanswered, rotated]) await reports(t, each);
    t.deepEqual(logged(site, 'submit.new-epoch').sort(), ['behind', 'rotated', 'still', 'unanswered']);
    t.is(await isSaid(site, 'behind'), 'after');
    t.is(await isSaid(site, 'unanswered'), 'on its way', 'nothing is lost');
    const keys = (await site.store.hosts.find('rotated'))?.identity?.keys ?? [];
    t.deepEqual([keys.length, String(keys[1]?.id)], [2, await keyOf(rotated)]);

    await since.says('while it waited');
    t.deepEqual(await tries(since), { status: 4, code: 'pending', waiting: 1 });
    await admin.run(enrollmentApprove, 'since', '--yes');
    await reports(t, since);
    t.deepEqual(logged(site, 'submit.chain-restarted'), ['since']);
    t.is(await isSaid(site, 'since'), 'while it waited');

    for (const each of [still, behind, unanswered, rotated, since]) await reports(t, each);
    t.is(logged(site, 'submit.new-epoch').length, 4, 'once');
    t.deepEqual(await openIssues(site), []);
    t.deepEqual((await tries(clone)).code, 'forked', 'a clone is still found out');
    t.deepEqual(await openIssues(site), ['behind cloned-identity']);
  });

  test(`${kind}: a key that rotated, and an approval, since the backup, are known though the store was lost`, async (t) => {
    const { admin, site } = await started(t, kind);
    const rotated = await reportingHost(t, site, 'rotated');
    const file = join(admin.folder, 'backup.gz');
    await admin.run(backup, file);
    await rotated.run('rotate-key');
    await reports(t, rotated);
    const since = await reportingHost(t, site, 'since');
    t.is((await since.run('rotate-key')).status, 0);
    await reports(t, since);
    await site.store.upkeep.import((async function* () {})(), (await site.store.state()).epoch);

    await admin.run(restoreAtOnce, '--yes', file);
    await site.look();
    await reports(t, rotated);
    t.deepEqual((await tries(since)).code, 'pending');
    await admin.run(enrollmentApprove, 'since', '--yes');
    await reports(t, since);
    t.is((await since.machine.submitter()).key_id, await keyOf(since));
    t.deepEqual(await openIssues(site), []);
  });

  test(`${kind}: a clock that was a year ahead is told as such, and costs neither reports nor the host's place`, async (t) => {
    const { site } = await started(t, kind);
    const host = await reportingHost(t, site);
    const preload = join(await scratchFolder(t), 'ahead.cjs');
    await writeFile(preload, aheadBy(YEAR));
    const { state } = host.machine;
    const ahead = await builtHost(t, 'testhost', { state, preload });
    await ahead.says('next year');
    const said = await ahead.run('--json', 'run', '--now');
    t.is(said.status, 5, said.err);
    const { problem, waiting } = JSON.parse(said.out).submitted;
    t.deepEqual([problem.code, waiting], ['clock-skew', 1]);
    const [theirs, ours] = [YEAR, 0].map((off) => new Date(Date.now() + off).toISOString().slice(0, 8));
    t.regex(problem.reason, new RegExp(`clock is wrong: this host says ${theirs}.*, the server ${ours}`));
    const stored = (await host.machine.submitter()).sequence;
    t.true(stored > (Date.now() + YEAR / 2) * 1000, 'its numbers are a year ahead now');
    t.true(((await site.store.hosts.find('testhost'))?.identity?.sequence ?? stored) < stored);

    site.passed.length = 0;
    await reports(t, host);
    t.is(site.passed.length, 3, 'one refused number, then both reports');
    t.is(await isSaid(site, 'testhost'), 'next year');
    const now = (await host.machine.submitter()).sequence;
    t.true(now < (Date.now() + days(1)) * 1000, 'it goes on from what the server knows');
    await host.says('this year');
    await reports(t, host);
    t.is(await isSaid(site, 'testhost'), 'this year');
    t.deepEqual(await openIssues(site), []);
  });
});

/** A module that moves the clock of the Node that loads it. */
function aheadBy(milliseconds: number): string {
  return `const Real = Date;
globalThis.Date = class extends Real {
  constructor(...given) {
    if (given.length === 0) super(Real.now() + ${milliseconds});
    else super(...given);
  }
  static now() {
    return Real.now() + ${milliseconds};
  }
};
`;
}
