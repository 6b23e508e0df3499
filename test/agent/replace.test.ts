import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { loadSigningKey } from '../../src/crypto/ed25519.ts';
import { enrolledMachine, type Machine, newMachine, readJson } from './support/machine.ts';
import { type Site, startSite } from './support/site.ts';

async function report(machine: Machine) {
  const { status, err } = await machine.run('collect');
  if (status !== 0) throw new Error(err);
  return machine.run('--json', 'submit');
}

/** What `penguindome enrollment replace` does in the store, with the one key that waits. */
async function takePlace({ store }: Site, hostname: string): Promise<void> {
  const waiting = (await store.enrollments.list()).find(({ status }) => status === 'pending');
  const host = await store.hosts.find(hostname);
  if (waiting === undefined || host?.identity === undefined) throw new Error('nobody waits');
  const { key_id, public_key, sequence } = waiting;
  const key = { id: key_id, public_key, added_at: new Date() };
  await store.hosts.replace(hostname, { host_id: host.identity.host_id, key, sequence }, new Date());
  await store.enrollments.approve(key_id, new Date());
}

test('an agent that was installed anew waits as pending, then takes its place and hands over what waited', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  t.is((await report(machine)).status, 0);
  const { host_id } = await readJson(machine.places.trust);
  await rm(machine.state, { recursive: true });
  const said = await machine.feed(await site.token(), '--json', 'enroll');
  t.like(said.json(), { status: 'pending', host_id });
  const refused = await report(machine);
  t.is(refused.status, 4);
  t.like(refused.json(), { problem: { code: 'pending' }, waiting: 1 });
  await takePlace(site, 'testhost');
  t.like((await report(machine)).json(), { waiting: 0, bad: [], gone: [] });
  t.is(String((await site.store.hosts.find('testhost'))?.identity?.host_id), String(host_id));
  t.is((await machine.run('status')).status, 0);
});

test('an agent whose state was lost, but not its key, is let on once its chain is cleared', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  await report(machine);
  await rm(machine.places.submit.root, { recursive: true });
  t.like((await report(machine)).json(), { problem: { code: 'forked' } });
  const host = await site.store.hosts.find('testhost');
  const id = host?.identity?.host_id;
  t.true(id !== undefined && (await site.store.hosts.clearChain('testhost', id)));
  t.like((await report(machine)).json(), { waiting: 0, bad: [], gone: [] });
  t.like((await report(machine)).json(), { waiting: 0, bad: [], gone: [] });
});

test('a clone that gets a key of its own becomes a host of its own, and the other goes on', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  await report(machine);
  const copy = join(machine.state, '..', 'copy');
  await cp(machine.state, copy, { recursive: true });
  const clone = await newMachine(t, { state: copy, hostname: 'clone' });
  t.is((await report(machine)).status, 0);
  t.like((await report(clone)).json(), { problem: { code: 'forked' } });
  const said = await clone.feed(await site.token(), '--json', 'enroll', '--new-key');
  t.is(said.status, 0, said.err);
  const { key_id, host_id } = said.json();
  t.is(String(key_id), loadSigningKey(await readFile(clone.places.identity, 'utf8')).id);
  t.not(host_id, (await readJson(machine.places.trust))['host_id']);
  await t.throwsAsync(readFile(clone.places.nextIdentity), { code: 'ENOENT' });
  t.like((await report(clone)).json(), { waiting: 0, bad: [], gone: [] });
  t.like((await report(machine)).json(), { waiting: 0, bad: [], gone: [] });
  t.is(await site.store.hosts.count(), 2);
});

test('a new key whose answer is lost is the one of the next attempt, and the old one is used until then', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  const old = await readFile(machine.places.identity, 'utf8');
  await machine.settings('hostname: other\n');
  const token = await site.token({ uses: 1 });
  site.meddle(async (_, next) => {
    await next();
    return undefined;
  });
  t.is((await machine.feed(token, 'enroll', '--new-key')).status, 75);
  site.meddle(undefined);
  t.is(await readFile(machine.places.identity, 'utf8'), old);
  t.is((await report(machine)).status, 0);
  const said = await machine.feed(token, '--json', 'enroll', '--new-key');
  t.is(said.status, 0, said.err);
  t.not(await readFile(machine.places.identity, 'utf8'), old);
  t.is((await report(machine)).status, 0);
  t.is((await site.store.enrollments.list()).length, 2);
});

test('an agent whose machine is marked as lost keeps its reports, and hands them over when it is found', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  await report(machine);
  await site.store.hosts.markLost('testhost', new Date());
  const refused = await report(machine);
  t.is(refused.status, 4);
  t.like(refused.json(), { problem: { code: 'lost' }, waiting: 1 });
  t.regex((await machine.run('status')).out, /hosts lost --found/);
  await site.store.hosts.markLost('testhost', undefined);
  t.like((await report(machine)).json(), { waiting: 0, bad: [], gone: [] });
});
