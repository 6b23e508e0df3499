import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { canMount, smallDisk } from '../faults/support/small-disk.ts';
import { whenPresent } from '../support/needs.ts';
import { enrolledMachine, newMachine } from './support/machine.ts';
import { startSite } from './support/site.ts';

test('a host that is not enrolled is told what to do', async (t) => {
  const machine = await newMachine(t);
  const said = await machine.run('status');
  t.is(said.status, 1);
  t.regex(said.out, /WRONG: this host is not enrolled\n {2}do: .*penguindome-agent enroll --token-file FILE/);
  t.is((await machine.run('submit')).status, 3);
});

test('status.json holds what status tells, and no secret', async (t) => {
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site);
  await machine.run('run');
  const left = await readFile(machine.places.status, 'utf8');
  const { at: _, ...told } = (await machine.run('--json', 'status')).json();
  t.like(JSON.parse(left), told);
  const { chain } = await machine.submitter();
  t.false(left.includes(chain ?? 'none'));
});

test('a collection that is overdue is told, with the time of the last one', async (t) => {
  const site = await startSite(t);
  let later = 0;
  const machine = await enrolledMachine(t, site, { clock: { now: () => new Date(Date.now() + later) } });
  await machine.run('run');
  t.is((await machine.run('status')).status, 0);
  later = 3_600_000;
  const said = await machine.run('--json', 'status');
  t.is(said.status, 1);
  t.regex(said.out, /nothing was collected since 20/);
});

test('what the collector wants to know from outside and nobody asks is told after half an hour', async (t) => {
  const site = await startSite(t);
  let later = 0;
  const machine = await enrolledMachine(t, site, { clock: { now: () => new Date(Date.now() + later) } });
  await mkdir(machine.places.online.root, { recursive: true });
  await writeFile(machine.places.asks, '{"asks": ["ip_addresses"]}\n');
  await machine.run('run');
  const early = await machine.run('status');
  t.is(early.status, 0, early.out);
  later = 1_801_000;
  await machine.run('run', '--now');
  const said = await machine.run('status');
  t.is(said.status, 1);
  t.regex(
    said.out,
    /WRONG: ip_addresses: nobody has asked outside yet.*\n.*systemctl start penguindome-collect-online/,
  );
  await writeFile(machine.places.asks, '{"asks": []}\n');
  t.notRegex((await machine.run('status')).out, /ip_addresses/);
});

test('a first report that was collected just now is not late, though nobody has handed one over yet', async (t) => {
  const machine = await enrolledMachine(t, await startSite(t));
  await machine.run('collect');
  const said = await machine.run('status');
  t.is(said.status, 0, said.out);
  t.regex(said.out, /waiting +1 report\n/);
});

test('reports that nobody hands over are told', async (t) => {
  const site = await startSite(t);
  let later = 0;
  const machine = await enrolledMachine(t, site, { clock: { now: () => new Date(Date.now() + later) } });
  await machine.run('run');
  later = 3_600_000;
  await machine.run('collect');
  const said = await machine.run('--json', 'status');
  t.regex(said.out, /1 reports wait, and nobody hands them over/);
});

test('what a plugin says cannot steer the terminal', async (t) => {
  const machine = await newMachine(t, {
    collectors: [
      {
        name: 'evil',
        describe: 'of a test',
        timeout: 1000,
        collect: async () => {
          throw new Error('\u001b[2Jcleared\u009b31m');
        },
      },
    ],
  });
  await machine.run('collect');
  const said = await machine.run('status');
  t.regex(said.out, /WRONG: evil: .*cleared/);
  t.notRegex(said.out, /[\u001b\u009b]/);
});

test('settings that cannot be used end everything with their own exit status', async (t) => {
  const machine = await newMachine(t);
  await machine.settings('collect_interval: often\n');
  for (const command of ['status', 'collect', 'run']) {
    const said = await machine.run(command);
    t.is(said.status, 3);
    t.regex(said.err, /90-test\.yml:1: collect_interval: expected a number above 0/);
  }
});

test('help tells the exit statuses and ends well; a wrong option does not', async (t) => {
  const machine = await newMachine(t);
  const help = await machine.run('--help');
  t.is(help.status, 0);
  t.regex(help.out, /75 {2}try again later/);
  t.is((await machine.run('enroll', '--help')).status, 0);
  t.is((await machine.run('collect', '--bogus')).status, 2);
  t.is((await machine.run()).status, 2);
});

test('--json tells a failure as JSON too', async (t) => {
  const machine = await newMachine(t);
  const said = await machine.run('--json', 'submit');
  t.is(said.status, 3);
  t.like(said.json(), { error: 'failed' });
});

const onSmallDisk = whenPresent(canMount(), 'a small disk needs root, and the right to mount a tmpfs');

onSmallDisk('a full disk is told, with what to do; with room there is nothing to tell', async (t) => {
  const disk = await smallDisk(t, 8);
  const site = await startSite(t);
  const machine = await enrolledMachine(t, site, { state: join(disk.folder, 'state') });
  t.is((await machine.run('run')).status, 0);
  await disk.fill(0);
  machine.facts['os_info'] = { distname: 'Debian GNU/Linux', version: '13' };
  const failed = await machine.run('collect');
  t.is(failed.status, 1);
  t.regex(failed.err, /cannot write .*: the disk is full/);
  const said = await machine.run('status');
  t.is(said.status, 1);
  t.regex(said.out, /WRONG: the disk is full: no space left in .*\n {2}do: make room/);

  await disk.makeRoom();
  t.is((await machine.run('run')).status, 0);
  t.regex((await machine.run('status')).out, /All is well/);
});

onSmallDisk('a file system that can only be read is told', async (t) => {
  const disk = await smallDisk(t, 8);
  const machine = await enrolledMachine(t, await startSite(t), { state: join(disk.folder, 'state') });
  t.is((await machine.run('run')).status, 0);
  t.is(spawnSync('mount', ['-o', 'remount,ro', disk.folder]).status, 0);
  const said = await machine.run('status');
  t.is(said.status, 1);
  t.regex(said.out, /WRONG: the file system of .* can only be read/);
});
