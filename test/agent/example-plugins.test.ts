import { existsSync } from 'node:fs';
import { copyFile, mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { whenPresent } from '../support/needs.ts';
import { builtHost, enrolHost, settingsOf } from './support/reporting-host.ts';
import { startSite } from './support/site.ts';

/** A host whose agent is the built program, with one of the examples among its plugins. */
async function hostWith(t: ExecutionContext, example: string) {
  const site = await startSite(t);
  const host = await builtHost(t);
  await enrolHost(t, site, host);
  const { places, settings, state } = host.machine;
  const folder = join(dirname(places.settings), 'plugins');
  await mkdir(folder, { recursive: true });
  await copyFile(join('packaging/examples/plugins', example), join(folder, example));
  const name = example.replace(/\..*$/, '');
  return {
    state,
    /** @param given YAML of the plugin's settings */
    settings: (given: string) => settings(`${settingsOf('testhost')}plugins: {settings: {${name}: ${given}}}\n`),
    /** what the server has of it after another report, and what the agent said meanwhile */
    reported: async () => {
      const said = await host.run('run', '--now');
      t.is(said.status, 0, said.err);
      const stored = await site.store.hosts.find('testhost');
      return { result: stored?.plugins?.[name], said: said.err };
    },
  };
}

test('the example in sh tells whether there was a backup, by its settings, its state and its log', async (t) => {
  const { state, settings, reported } = await hostWith(t, 'backup_age.sh');
  t.is((await reported()).result, 'unknown');
  const stamp = join(state, 'last-success');
  await settings(`{stamp: ${stamp}, max_age_days: 3}`);
  t.deepEqual(await reported(), { result: { status: 'never' }, said: '' });
  for (const [hours, status] of [
    [36, 'fresh'],
    [24 * 30, 'old'],
  ] as const) {
    const at = new Date(Date.now() - hours * 3_600_000);
    await copyFile('package.json', stamp);
    await utimes(stamp, at, at);
    t.deepEqual((await reported()).result, { status, since: at.toISOString().slice(0, 10) });
  }
  await settings(`{stamp: ${stamp}.gone}`);
  const gone = await reported();
  t.deepEqual(gone.result, { status: 'never' });
  t.true(gone.said.includes(`backup_age: warning: ${stamp}.gone is gone\n`), gone.said);
});

whenPresent(existsSync('/usr/bin/python3'), 'the example plugin in Python: there is no /usr/bin/python3')(
  'the example in Python tells what it saw when somebody was logged in, and unknown before',
  async (t) => {
    const { state, reported } = await hostWith(t, 'remote_desktop.py');
    const before = await reported();
    // Unless somebody sits at this very machine.
    if (before.result !== 'unknown') {
      t.regex(JSON.stringify(before.result), /"shared"/);
      return;
    }
    t.true(before.said.includes('remote_desktop: info: nobody was logged in yet\n'), before.said);
    const kept = { at: '2026-01-02T03:04:05.000Z', value: [{ user: 'ann', shared: true }] };
    await writeFile(join(state, 'plugins/remote_desktop/cache/users.json'), JSON.stringify(kept));
    for (const _ of [1, 2]) t.deepEqual((await reported()).result, { users: kept.value, since: kept.at });
  },
);
