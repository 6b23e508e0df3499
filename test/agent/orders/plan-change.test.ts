import { writeFile } from 'node:fs/promises';
import test from 'ava';
import { readSiteManifest } from '../../../src/agent/orders/site-manifest.ts';
import { acceptedOrder, actorOn, type Content, targets } from '../support/accepted-order.ts';
import { type Machine, newMachine } from '../support/machine.ts';

const release = (machine: Machine, number: number, content: Content) =>
  acceptedOrder(machine.places, { kind: 'release', targets: 'all', number }, content);
const settings = (machine: Machine, wanted: object) =>
  acceptedOrder(machine.places, { kind: 'settings', ...targets, wanted });
const patch = (machine: Machine, content: Content, removed: string[] = []) =>
  acceptedOrder(machine.places, { kind: 'patch', ...targets, removed }, content);

test('a release is the whole set: what it lacks is removed, but not what is wanted of the settings', async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  await actor.act(await settings(machine, { submit_interval: '2m' }));
  await actor.act(await patch(machine, { 'plugins/patched': 'x', 'plugins/both': 'old' }));
  const order = await release(machine, 7, { 'plugins/both': 'new', 'plugins/mine': 'm' });
  await actor.act(order);
  t.like(await actor.report(order), {
    state: 'done',
    steps: ['plugins/both: replaced', 'plugins/mine: new', 'plugins/patched: removed'],
  });
  const { files, release: number } = await readSiteManifest(machine.places);
  t.is(number, 7);
  t.deepEqual(Object.keys(files).sort(), ['plugins/both', 'plugins/mine', 'settings/client-settings.yml']);
});

test('the number of a release only rises: an older one, or the same, is refused', async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  await actor.act(await release(machine, 7, { 'plugins/a': '7' }));
  for (const number of [6, 7]) {
    const order = await release(machine, number, { 'plugins/a': `${number} again` });
    await actor.act(order);
    t.like(await actor.report(order), {
      state: 'refused',
      reason: `cannot install release ${number}: release 7 is here`,
    });
  }
  t.is(await actor.site('plugins/a'), '7');
  t.is((await readSiteManifest(machine.places)).release, 7);
});

test('settings that the server wants are in force at the next run; what the machine itself sets goes before them', async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  await machine.settings('submit_interval: 90s\n');
  await actor.act(
    await settings(machine, {
      collect_interval: '30m',
      submit_interval: '5m',
      collectors: { disabled: ['packages', 'a b'] },
    }),
  );
  const asked = async (path: string) => (await machine.run('plugin-tool', 'setting', path)).out.trim();
  t.is(await asked('collect_interval'), '1800000');
  t.is(await asked('submit_interval'), '90000');
  t.is(await asked('collectors.disabled'), '["packages","a b"]');
  await actor.act(await settings(machine, {}));
  t.is(await asked('collect_interval'), '600000');
  t.is(await actor.site('settings/client-settings.yml'), undefined);
});

test("a release's settings count too, and what is wanted of this host goes before them", async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  await actor.act(await release(machine, 1, { 'settings/site.yml': 'collect_interval: 20m\nsubmit_interval: 3m\n' }));
  await actor.act(await settings(machine, { submit_interval: '5m' }));
  const asked = async (path: string) => (await machine.run('plugin-tool', 'setting', path)).out.trim();
  t.deepEqual([await asked('collect_interval'), await asked('submit_interval')], ['1200000', '300000']);
});

test('a release makes a damaged manifest anew, which other orders leave to it', async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  await actor.act(await release(machine, 7, { 'plugins/a': 'a', 'plugins/b': 'b' }));
  await writeFile(machine.places.site.manifest, '{');
  const order = await patch(machine, { 'plugins/c': 'c' });
  await actor.act(order);
  t.like(await actor.report(order), { state: 'failed' });
  t.is(await actor.site('plugins/c'), undefined);
  await actor.act(await release(machine, 8, { 'plugins/a': 'a' }));
  const { files, release: number } = await readSiteManifest(machine.places);
  t.deepEqual([number, Object.keys(files)], [8, ['plugins/a']]);
});

test('what a site tells its plugins comes with them', async (t) => {
  const machine = await newMachine(t, { collectors: [] });
  const text = 'plugins:\n  settings:\n    raid: {level: 5}\n';
  await actorOn(machine.places).act(await release(machine, 1, { 'settings/raid.yml': text }));
  t.is((await machine.run('plugin-tool', 'setting', 'plugins.timeout')).out.trim(), '3600000');
  const { out } = await newMachine(t, { state: machine.state, environment: { PENGUINDOME_PLUGIN: 'raid' } }).then(
    (one) => one.run('plugin-tool', 'setting', '.level'),
  );
  t.is(out, '5\n');
});

/** Settings that no order may bring, and what is said. */
const REFUSED: Record<string, [path: string, text: string, reason: RegExp]> = {
  'whom to speak to': ['settings/a.yml', 'url: https://evil.example:8443\n', /url: expected a known key/],
  'local plugins': ['settings/a.yml', 'plugins:\n  local: true\n', /plugins\.local: expected a known key/],
  'what tells of people': [
    'settings/a.yml',
    'collectors:\n  enabled: [prey]\n',
    /collectors\.enabled: expected a known key/,
  ],
  'no YAML': ['settings/a.yml', 'collect_interval: "5m\n', /line \d: expected YAML/],
  'a list': ['settings/a.yml', '[]\n', /expected a group of keys, found a list/],
  'no duration': ['settings/a.yml', 'collect_interval: soon\n', /collect_interval: expected a number/],
  'another kind of file': ['settings/a.conf', '', /end in \.yml/],
  "the server's own file": ['settings/client-settings.yml', '', /orders of settings alone/],
};

for (const [what, [path, text, reason]] of Object.entries(REFUSED)) {
  test(`${what}: no order may bring that as a setting, and the whole order is refused`, async (t) => {
    const machine = await newMachine(t);
    const actor = actorOn(machine.places);
    const order = await patch(machine, { 'plugins/a': 'a', [path]: text });
    await actor.act(order);
    const report = await actor.report(order);
    t.is(report.state, 'refused');
    t.regex(report.reason ?? '', reason);
    t.is(await actor.site('plugins/a'), undefined);
  });
}

test('wanted settings that are none are refused', async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  const order = await settings(machine, { collect_interval: 'now and then' });
  await actor.act(order);
  t.like(await actor.report(order), { state: 'refused' });
});
