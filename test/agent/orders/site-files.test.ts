import { appendFile, chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';
import { acceptedOrder, actorOn, type Content, targets } from '../support/accepted-order.ts';
import { type Machine, newMachine } from '../support/machine.ts';

const SAYS = (word: string) => `#!/bin/sh\necho '"${word}"'\n`;

async function patched(machine: Machine, content: Content) {
  const actor = actorOn(machine.places);
  await actor.act(await acceptedOrder(machine.places, { kind: 'patch', ...targets, removed: [] }, content));
  return actor;
}

/** What the agent would report, by name. */
async function seen(machine: Machine): Promise<Record<string, unknown>> {
  const { list, bodies } = (await machine.run('--json', 'collect', '--show')).json();
  const texts = new Map<unknown, unknown>(Object.entries(bodies ?? {}));
  return Object.fromEntries(
    Object.entries(list ?? {}).map(([name, digest]) => [name.replace('plugins.', ''), texts.get(digest)]),
  );
}

test('a plugin that came by an order runs', async (t) => {
  const machine = await newMachine(t, { collectors: [] });
  await patched(machine, { 'plugins/ours.sh': SAYS('ours') });
  t.deepEqual(await seen(machine), { ours: 'ours' });
});

test('one that was changed since, or that no order brought, is not run, and its result says why', async (t) => {
  const machine = await newMachine(t, { collectors: [] });
  await patched(machine, { 'plugins/changed.sh': SAYS('good'), 'plugins/fine.sh': SAYS('fine') });
  await appendFile(join(machine.places.site.plugins, 'changed.sh'), 'echo bad\n');
  await writeFile(join(machine.places.site.plugins, 'slipped_in'), SAYS('bad'), { mode: 0o755 });
  const found = await seen(machine);
  t.is(found['fine'], 'fine');
  t.like(found['changed'], { returncode: 126, reason: 'it was changed since an order brought it' });
  t.like(found['slipped_in'], { returncode: 126, reason: 'no order brought it' });
  await machine.run('collect');
  t.regex(
    (await machine.run('status')).out,
    /slipped_in: no order brought it\n {2}do: orders alone bring what lies there/,
  );
});

test('where the manifest is damaged, nothing of it runs', async (t) => {
  const machine = await newMachine(t, { collectors: [] });
  await patched(machine, { 'plugins/ours.sh': SAYS('ours') });
  await writeFile(machine.places.site.manifest, '{');
  t.like((await seen(machine))['ours'], { returncode: 126 });
});

test('a plugin that neither a package nor an order brought runs only with plugins.local: true', async (t) => {
  const machine = await newMachine(t, { collectors: [] });
  const path = join(dirname(machine.places.settings), 'plugins/own.sh');
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await writeFile(path, SAYS('own'));
  await chmod(path, 0o755);
  const { returncode, reason } = Object((await seen(machine))['own']);
  t.is(returncode, 126);
  t.regex(reason, /neither a package nor an order brought it; .* plugins\.local: true/);
  t.regex((await machine.run('collectors', 'list')).err, /own\.sh is not run: neither/);
  await machine.settings('plugins: {local: true}\n');
  t.deepEqual(await seen(machine), { own: 'own' });
});

test('a name that a local plugin may not use is free for one that an order brought', async (t) => {
  const machine = await newMachine(t, { collectors: [] });
  await machine.plugin('same.sh', SAYS('local'));
  await patched(machine, { 'plugins/same.sh': SAYS('ordered') });
  t.deepEqual(await seen(machine), { same: 'local' });
  await machine.settings('plugins: {local: false}\n');
  t.deepEqual(await seen(machine), { same: 'ordered' });
});

test('settings that were changed since an order brought them are left out, and status says so', async (t) => {
  const machine = await newMachine(t);
  await patched(machine, { 'settings/a.yml': 'collect_interval: 20m\n', 'settings/b.yml': 'submit_interval: 2m\n' });
  await writeFile(join(machine.places.site.settings, 'a.yml'), 'collect_interval: 9d\n');
  const asked = async (path: string) => (await machine.run('plugin-tool', 'setting', path)).out.trim();
  t.deepEqual([await asked('collect_interval'), await asked('submit_interval')], ['600000', '120000']);
  const { problems } = (await machine.run('--json', 'status')).json();
  t.regex(
    JSON.stringify(problems),
    /"code":"site-settings","what":"cannot use .*a\.yml: it is not what an order brought"/,
  );
});

test('what orders brought is looked at at once: the next run collects', async (t) => {
  const machine = await newMachine(t, { collectors: [] });
  await machine.run('collect');
  t.is((await machine.spooled()).length, 1);
  t.false((await machine.run('--json', 'run')).json()['collected'] === true);
  await patched(machine, { 'plugins/ours.sh': SAYS('ours') });
  await machine.run('run');
  t.is((await machine.spooled()).length, 2);
  await machine.run('run');
  t.is((await machine.spooled()).length, 2);
});
