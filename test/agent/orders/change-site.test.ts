import { chmod, chown, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { checkTarget, OrderRefused } from '../../../src/agent/orders/check-target.ts';
import { readOrderState } from '../../../src/agent/orders/order-state.ts';
import { readSiteManifest } from '../../../src/agent/orders/site-manifest.ts';
import { whenPresent } from '../../support/needs.ts';
import { runOrderActor } from '../../support/programs.ts';
import { acceptedOrder, actorOn, targets } from '../support/accepted-order.ts';
import { type Machine, newMachine } from '../support/machine.ts';

const uid = process.geteuid?.() ?? 0;
const asRoot = whenPresent(uid === 0, "a folder that is somebody else's needs root");

const patch = (machine: Machine, files: Record<string, string>, removed: string[] = []) =>
  acceptedOrder(machine.places, { kind: 'patch', ...targets, removed }, files);

test('a patch writes and removes files, and says which', async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  await actor.act(await patch(machine, { 'plugins/a': 'old', 'plugins/b': 'b' }));
  const second = await patch(machine, { 'plugins/a': 'new', 'plugins/c': 'c' }, ['plugins/b']);
  await actor.act(second);
  t.deepEqual(
    [await actor.site('plugins/a'), await actor.site('plugins/b'), await actor.site('plugins/c')],
    ['new', undefined, 'c'],
  );
  t.like(await actor.report(second), {
    state: 'done',
    steps: ['plugins/a: replaced', 'plugins/c: new', 'plugins/b: removed'],
  });
  const { files } = await readSiteManifest(machine.places);
  t.deepEqual(Object.keys(files).sort(), ['plugins/a', 'plugins/c']);
  t.is(files['plugins/a']?.order, second.manifest.id);
  t.like((await actor.receipts()).at(-1), { order: second.manifest.id, event: 'done', kind: 'patch', by: 'tester' });
  t.is(actor.collections(), 2);
});

test('an order that was told is not acted on again', async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  const order = await patch(machine, { 'plugins/a': 'a' });
  await actor.act(order);
  await rm(join(machine.places.site.plugins, 'a'));
  await actor.act(order);
  t.is(await actor.site('plugins/a'), undefined);
  t.is((await actor.receipts()).length, 1);
});

const REFUSED: Record<string, RegExp> = {
  '/etc/cron.d/x': /absolute path/,
  '../etc/x': /leads out/,
  'plugins/../../trust/x': /leads out/,
  'plugins/./x': /leads out/,
  'trust.d/policy.yml': /nowhere else/,
  '../../etc/penguindome/trust.d/policy.yml': /leads out/,
  'trust/orders.json': /nowhere else/,
  'manifest.json': /nowhere else/,
  'plugins/.hidden': /nowhere else/,
  'plugins/a/b': /nowhere else/,
  'plugins/': /nowhere else/,
  'plugins/a\nb': /nowhere else/,
};

test('a path that no order may write to is refused', async (t) => {
  const { places } = await newMachine(t);
  for (const folder of ['plugins', 'settings', 'commands'])
    await mkdir(join(places.site.root, folder), { recursive: true, mode: 0o700 });
  for (const [path, reason] of Object.entries(REFUSED)) {
    const error = await t.throwsAsync(checkTarget(places, uid, path), { instanceOf: OrderRefused }, path);
    t.regex(error?.message ?? '', reason);
  }
  t.is(await checkTarget(places, uid, 'plugins/a'), join(places.site.plugins, 'a'));
});

/** What may stand where an order wants to write, and why nothing of the order is done then. */
const HOSTILE: Record<string, [make: (machine: Machine) => Promise<void>, reason: RegExp]> = {
  'a symbolic link where a file is to be': [
    ({ places }) => symlink('/etc/passwd', join(places.site.plugins, 'b')),
    /symbolic link/,
  ],
  'a folder where a file is to be': [
    ({ places }) => mkdir(join(places.site.plugins, 'b')).then(() => undefined),
    /no file/,
  ],
  'a folder that others may write to': [({ places }) => chmod(places.site.plugins, 0o777), /written to by others/],
  'a folder that its group may write to': [({ places }) => chmod(places.site.root, 0o770), /written to by others/],
  'a state folder that others may write to': [({ places }) => chmod(places.state, 0o757), /written to by others/],
  'a link in place of the folder': [
    async ({ places, state }) => {
      await mkdir(join(state, 'elsewhere'));
      await rm(places.site.plugins, { recursive: true });
      await symlink(join(state, 'elsewhere'), places.site.plugins);
    },
    /symbolic link/,
  ],
};

for (const [what, [make, reason]] of Object.entries(HOSTILE)) {
  test(`${what}: the whole order is refused, and nothing is changed`, async (t) => {
    const machine = await newMachine(t);
    const actor = actorOn(machine.places);
    await actor.act(await patch(machine, { 'settings/x.yml': 'submit_interval: 2m\n' }));
    await make(machine);
    const order = await patch(machine, { 'settings/a.yml': 'submit_interval: 1m\n', 'plugins/b': 'b' });
    await actor.act(order);
    const { state, reason: said = '' } = await actor.report(order);
    t.is(state, 'refused');
    t.regex(said, reason);
    t.is(await actor.site('settings/a.yml'), undefined);
    t.like((await actor.receipts()).at(-1), { event: 'refused', order: order.manifest.id });
  });
}

asRoot("a folder that is somebody else's: refused", async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  await actor.act(await patch(machine, { 'plugins/a': 'a' }));
  await chown(machine.places.site.plugins, 65534, 65534);
  const order = await patch(machine, { 'plugins/b': 'b' });
  await actor.act(order);
  t.like(await actor.report(order), { state: 'refused' });
  t.regex((await actor.report(order)).reason ?? '', /belongs to user 65534/);
});

test('a mode that lets others write is refused', async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  const order = await acceptedOrder(
    machine.places,
    { kind: 'patch', ...targets, removed: [] },
    { 'plugins/a': { text: 'a', mode: 0o722 } },
  );
  await actor.act(order);
  t.like(await actor.report(order), { state: 'refused' });
});

test("a copy in the order's folder that is not what the manifest says fails the order, and nothing is changed", async (t) => {
  const machine = await newMachine(t);
  const actor = actorOn(machine.places);
  const order = await patch(machine, { 'plugins/a': 'a', 'plugins/b': 'b' });
  await writeFile(join(order.folder, 'files', order.manifest.files[1]?.sha256 ?? ''), 'another');
  await actor.act(order);
  t.like(await actor.report(order), { state: 'failed' });
  t.deepEqual(await readdir(machine.places.site.plugins), []);
});

const OLD = { 'plugins/a': 'old a', 'plugins/b': 'old b', 'settings/s.yml': 'submit_interval: 2m\n' };
const NEW = { 'plugins/a': 'new a', 'plugins/n': 'new n', 'settings/s.yml': 'submit_interval: 5m\n' };
const AFTER: Record<string, string | undefined> = { ...NEW, 'plugins/b': undefined };
const BEFORE: Record<string, string | undefined> = { ...OLD, 'plugins/n': undefined };

/** A machine with the old files, and an order that makes the new ones of them. */
async function beforeChange(machine: Machine) {
  const actor = actorOn(machine.places);
  await actor.act(await patch(machine, OLD));
  const order = await patch(machine, NEW, ['plugins/b']);
  const look = async () => {
    const found: Record<string, string | undefined> = {};
    for (const path of Object.keys(AFTER)) found[path] = await actor.site(path);
    return found;
  };
  return { actor, order, look };
}

test('a step that fails takes back all that came before it', async (t) => {
  const machine = await newMachine(t);
  const { actor, order, look } = await beforeChange(machine);
  await actor.act(order, {
    onStep: (name) => {
      if (name === 'change settings/s.yml') throw new Error('the disk is full');
    },
  });
  t.deepEqual(await look(), BEFORE);
  t.like(await actor.report(order), { state: 'failed', reason: 'the disk is full; all is as it was before' });
  t.false('plugins/n' in (await readSiteManifest(machine.places)).files);
});

for (const fail of [undefined, 'change plugins/b']) {
  const what = fail === undefined ? 'a change' : 'a change that fails';
  test(`${what}, killed (-9) before every step: each file is the old or the new one, and the next run makes one whole of them`, async (t) => {
    t.timeout(300_000);
    let steps = 1;
    for (let kill = 0; kill < steps; kill++) {
      const machine = await newMachine(t);
      const { actor, order, look } = await beforeChange(machine);
      const act = (options: object) => runOrderActor({ state: machine.state, id: order.manifest.id, ...options });
      if (kill === 0) {
        const dry = await newMachine(t);
        const { order: other } = await beforeChange(dry);
        steps =
          (await runOrderActor({ state: dry.state, id: other.manifest.id, fail })).lines.length +
          (fail === undefined ? 0 : 1);
        t.true(steps > 12, `${steps} steps`);
      }
      t.is((await act({ kill, fail })).signal, 'SIGKILL', `step ${kill}`);
      for (const [path, content] of Object.entries(await look())) {
        t.true([BEFORE[path], AFTER[path]].includes(content), `step ${kill}: ${path} is ${content}`);
      }
      t.is((await act({})).signal, null);
      const found = await look();
      const isNew = found['plugins/n'] !== undefined;
      t.deepEqual(found, isNew ? AFTER : BEFORE, `step ${kill}`);
      t.is((await actor.report(order)).state, isNew ? 'done' : 'failed');
      t.is('plugins/n' in (await readSiteManifest(machine.places)).files, isNew);
      t.is((await readOrderState(order.folder))?.phase, 'settled');
      t.deepEqual(
        (await readdir(machine.places.site.root)).filter((name) => /^\.(changing|tmp)/.test(name)),
        [],
      );
      if (fail === undefined) t.true(isNew, `step ${kill}: what was begun is finished`);
    }
  });
}

test('a machine that went down in the middle: another order, or a look at the plugins, first makes one whole of it', async (t) => {
  const machine = await newMachine(t);
  const { actor, order, look } = await beforeChange(machine);
  const cut = { state: machine.state, id: order.manifest.id, kill: 9 };
  t.is((await runOrderActor(cut)).signal, 'SIGKILL');
  t.is(await readFile(join(machine.places.site.root, '.changing'), 'utf8'), `${order.folder}\n`);
  const other = await patch(machine, { 'plugins/other': 'other' });
  await actor.act(other);
  t.deepEqual(await look(), AFTER);
  t.is(await actor.site('plugins/other'), 'other');
  await actor.act(order);
  t.deepEqual(await look(), AFTER);
  t.like(await actor.report(order), { state: 'done' });
});
