import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { eraagent } from '../../../src/agent/collectors/eraagent.ts';
import { eset } from '../../../src/agent/collectors/eset.ts';
import { prey } from '../../../src/agent/collectors/prey.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { hostInFolder, plant, saying } from './host-in-folder.ts';
import { look, running } from './look.ts';

const INIT = { '/proc/1/comm': 'systemd\n' };
const ESETS = '/opt/eset/esets/sbin/esets_daemon';
const ERA = '/opt/eset/RemoteAdministrator/Agent/ERAAgent';
const exe = (path: string) => ({ ...running(path.replace(/^.*\//, '').slice(0, 15)), '/proc/300/exe': `-> ${path}` });
const DATA = '/var/opt/eset/esets/lib/data/data.txt';

test('ESET that is not installed does not run, and knows nothing', async (t) => {
  t.deepEqual(await look(t, eset, INIT), { installed: false, running: false, recent: false });
  t.deepEqual(await look(t, eraagent, INIT), { installed: false, running: false });
});

test('ESET that runs and was updated today, as the original knew it', async (t) => {
  t.deepEqual(await look(t, eset, { ...exe(ESETS), [ESETS]: saying(''), [DATA]: 'x' }), {
    installed: true,
    running: true,
    recent: true,
  });
  t.deepEqual(await look(t, eraagent, { ...exe(ERA), [ERA]: saying('') }), { installed: true, running: true });
});

test('ESET that is stopped, and another program of its name', async (t) => {
  t.deepEqual(await look(t, eset, { ...INIT, [ESETS]: saying('') }), {
    installed: true,
    running: false,
    recent: false,
  });
  const other = { ...running('ERAAgent'), '/proc/300/exe': '-> /tmp/ERAAgent', [ERA]: saying('') };
  t.deepEqual(await look(t, eraagent, other), { installed: true, running: false });
});

test('whether it runs is unknown where its program is not to be seen; one that ended meanwhile does not run', async (t) => {
  const files = { ...running('ERAAgent'), [ERA]: saying('') };
  const denied = () => Promise.reject(new Error('EACCES'));
  t.deepEqual(await look(t, eraagent, files, { host: { readLink: denied } }), { installed: true, running: 'unknown' });
  t.deepEqual(await look(t, eraagent, files), { installed: true, running: false });
  t.deepEqual(await look(t, eraagent, { [ERA]: saying('') }), { installed: true, running: 'unknown' });
});

test('definitions of two days ago are not recent; of version 7 and later the newest module counts', async (t) => {
  const folder = await scratchFolder(t);
  const modules = '/var/opt/eset/eea/lib';
  await plant(folder, {
    ...running('startd'),
    '/opt/eset/eea/sbin/startd': saying(''),
    [`${modules}/em000_64.dat`]: 'x',
    [`${modules}/em002_64.dat`]: 'x',
    [`${modules}/other.txt`]: 'x',
  });
  const host = hostInFolder(t, folder);
  const age = (name: string, hours: number) => {
    const at = new Date(Date.now() - hours * 3_600_000);
    return utimes(join(folder, modules, name), at, at);
  };
  await age('em000_64.dat', 1000);
  await age('em002_64.dat', 47);
  t.deepEqual(await eset.collect(host), { installed: true, running: true, recent: true });
  await age('em002_64.dat', 49);
  t.deepEqual(await eset.collect(host), { installed: true, running: true, recent: false });
});

test('Prey is asked after only where the settings want it, and runs where its own program does', async (t) => {
  t.true(prey.optIn);
  const node = '/usr/lib/prey/versions/1.12.5/bin/node';
  t.deepEqual(await look(t, prey, INIT), { running: false });
  t.deepEqual(await look(t, prey, { ...running('node'), '/proc/300/exe': `-> ${node}` }), { running: true });
  t.deepEqual(await look(t, prey, { ...running('node'), '/proc/300/exe': '-> /usr/bin/node' }), { running: false });
  t.deepEqual(await look(t, prey, {}), { running: 'unknown' });
});
