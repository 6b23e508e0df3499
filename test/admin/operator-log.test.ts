import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { readEntries } from '../../src/store/operator-log/read-entries.ts';
import { canMount, smallDisk } from '../faults/support/small-disk.ts';
import { whenPresent } from '../support/needs.ts';
import { operatedSite } from '../support/operated-site.ts';
import { penguindome, succeed } from '../support/penguindome.ts';
import { scratchFolder } from '../support/scratch.ts';
import { until } from '../support/server-program.ts';

interface Deed {
  number: number;
  command: string;
  arguments: string[];
  hosts: string[];
  who: { uid: number };
  result: string;
  status: number | null;
  error: string | null;
  late: boolean;
}

const deeds = async (site: { json(...args: string[]): Promise<unknown> }, ...args: string[]): Promise<Deed[]> =>
  (await site.json('log', 'list', ...args)) as Deed[];

test('commands that act on several hosts name each of them, as it is stored', async (t) => {
  const site = await operatedSite(t, ['Lap-17', 'lap-18']);
  for (const words of [
    ['issues', 'open', '--host', 'lap-17', 'lap-18', '--issue-name', 'lent'],
    ['issues', 'snooze', '--all'],
    ['issues', 'close', '--all'],
    ['issues', 'suspend', 'lap-17', 'lap-18'],
  ]) {
    await site.succeed(...words);
    const done = await deeds(site, '--command', words.slice(0, 2).join(' '));
    t.deepEqual([...(done.at(-1)?.hosts ?? [])].sort(), ['Lap-17', 'lap-18'], words.join(' '));
  }
  for (const [host, ...words] of [
    ['Lap-17', 'hosts', 'parameters', 'set', 'lap-17', 'user_email', 'ada@example.org'],
    ['lap-18', 'client-settings', 'set', 'collect_interval', '5m', '--host', 'lap-18'],
  ]) {
    await site.succeed(...words);
    t.deepEqual((await deeds(site)).at(-1)?.hosts, [host], words.join(' '));
  }
});

test('what an operator does is in the log: who, what, on which hosts, and what came of it', async (t) => {
  const site = await operatedSite(t, ['Lap-17', 'lap-18']);
  await site.succeed('hosts', 'lost', 'lap-17');
  await site.succeed('hosts', 'list');
  t.is((await site.run('hosts', 'forget', 'lap-99', '--yes')).status, 1);
  t.is((await site.run('hosts', 'forget', 'lap-18')).status, 2, 'nobody is there to be asked');
  const [setup, lost, unknown, unasked, ...others] = await deeds(site);
  t.deepEqual(others, []);
  t.like(setup, { command: 'setup', result: 'done', late: true });
  t.like(lost, { command: 'hosts lost', arguments: ['lap-17'], hosts: ['Lap-17'], result: 'done', status: 0 });
  t.is(lost?.who.uid, process.getuid?.());
  t.like(unknown, { arguments: ['--yes', 'lap-99'], hosts: ['lap-99'], result: 'failed', status: 1 });
  t.regex(unknown?.error ?? '', /^cannot find a host named lap-99/);
  t.like(unasked, { hosts: ['lap-18'], status: 2 });
  const table = await site.succeed('log', 'list', '--command', 'hosts', '--limit', '2');
  t.regex(
    table,
    /^AT +WHO +COMMAND +HOSTS +RESULT\n.*hosts forget --yes lap-99 +lap-99 +1: cannot find a host[^\n]*\n.*lap-18.*2: cannot ask[^\n]*\n$/,
  );
  t.is((await deeds(site, '--host', 'LAP-17')).length, 1);
  t.is((await deeds(site, '--since', '2999-01-01')).length, 0);
  t.is((await deeds(site, '--since', '1h')).length, 4);
  t.is((await deeds(site, '--user', 'nobody-here')).length, 0);
  t.regex(await site.succeed('log', 'verify'), /8 entries, none changed, missing or cut off\n$/);
});

test('what may be secret is left out: of arguments, settings, addresses, and the error about them', async (t) => {
  const site = await operatedSite(t);
  const tries = [
    ['settings', 'set', 'store.password', 'hunter2'],
    ['settings', 'set', 'delivery', '{smtp: {user: me, password: hunter2}}'],
    ['settings', 'set', 'delivery.webhooks.0', 'https://hooks.example/hunter2'],
    ['settings', 'set', 'public_url', 'https://me:hunter2@dome.example'],
    ['enrollment', 'revoke', 'penguindome1:hunter2', '--yes'],
  ];
  for (const args of tries) t.not((await site.run(...args)).status, 0, args.join(' '));
  await site.succeed('settings', 'set', 'audit.mail', 'ann@dome.example');
  t.notRegex(await readFile(site.log, 'utf8'), /hunter2/);
  const told = await deeds(site);
  t.is(told.length, tries.length + 2);
  t.deepEqual(told.at(-1)?.arguments, ['audit.mail', 'ann@dome.example']);
  t.deepEqual(told[1]?.arguments, ['store.password', '(left out)']);
});

test('the log is written before the command acts: where it cannot be, nothing is done', async (t) => {
  const site = await operatedSite(t, ['lap-17']);
  await rm(site.log);
  await mkdir(site.log);
  const { status, stderr } = await site.run('hosts', 'forget', 'lap-17', '--yes');
  t.is(status, 1);
  t.regex(
    stderr,
    /^penguindome: cannot write the operator log .*operator\.log: .*; nothing is done that cannot be logged\n$/,
  );
  t.regex(await site.succeed('hosts', 'list'), /lap-17/);
  await rm(site.log, { recursive: true });
  await symlink('/dev/null', site.log);
  t.is((await site.run('hosts', 'lost', 'lap-17')).status, 1, 'nor does a link lead it elsewhere');
});

whenPresent(canMount(), 'a full disk under the operator log: a tmpfs cannot be mounted (that takes root)')(
  'on a full disk nothing is done, and once there is room the log is whole',
  async (t) => {
    const site = await operatedSite(t, ['lap-17']);
    const disk = await smallDisk(t, 1);
    await rename(join(site.dir, 'state'), join(site.dir, 'state-before'));
    await symlink(disk.folder, join(site.dir, 'state'));
    await site.succeed('hosts', 'lost', 'lap-17');
    await disk.fill(0);
    const { status, stderr } = await site.run('hosts', 'forget', 'lap-17', '--yes');
    t.is(status, 75, stderr);
    t.regex(stderr, /cannot write the operator log .*; make room on that disk and try again\n$/);
    t.regex(await site.succeed('hosts', 'list'), /lap-17/);
    await disk.makeRoom();
    await site.succeed('hosts', 'lost', 'lap-17', '--found');
    t.deepEqual(
      (await deeds(site)).map(({ arguments: told }) => told),
      [['lap-17'], ['--found', 'lap-17']],
    );
    const { findings } = JSON.parse((await site.run('--json', 'log', 'verify')).stdout);
    // the log before lay on another disk: its head knows of it
    t.deepEqual(
      findings.map(({ line, kind }: { line: number; kind: string }) => `${line}:${kind}`),
      ['1:cut-off'],
    );
  },
);

test('a command that was killed is told as cut off, one that runs as running', async (t) => {
  const site = await operatedSite(t, ['lap-17']);
  // it waits for its standard input
  const child = spawn(process.execPath, ['build/penguindome', '--config', site.config, 'restore', '--yes', '-'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await until(async () => (await deeds(site)).some(({ command }) => command === 'restore'));
  t.like((await deeds(site)).at(-1), { command: 'restore', result: 'running', status: null });
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.like((await deeds(site)).at(-1), { command: 'restore', result: 'cut off', status: null });
  t.is((await site.run('log', 'verify')).status, 0);
});

test('commands that are killed while they write leave a log that goes on and is whole', async (t) => {
  const site = await operatedSite(t, ['lap-17']);
  for (let pause = 0; pause < 8; pause++) {
    const { size } = await stat(site.log);
    const args = ['build/penguindome', '--config', site.config, 'hosts', 'lost', 'lap-17'];
    const child = spawn(process.execPath, args, { stdio: 'ignore' });
    const ended = once(child, 'exit');
    // from the moment on that the entry is there: before its head, while that is written, after it
    while (child.exitCode === null && statSync(site.log).size === size) await sleep(1);
    await sleep(pause);
    child.kill('SIGKILL');
    await ended;
  }
  await site.succeed('hosts', 'lost', 'lap-17', '--found');
  const { status, stdout } = await site.run('log', 'verify');
  t.is(status, 0, stdout);
  t.like((await deeds(site)).at(-1), { arguments: ['--found', 'lap-17'], result: 'done' });
  t.true(
    (await deeds(site)).some(({ result }) => result === 'cut off'),
    'one at least was struck before its end',
  );
});

test('killed between the entry and its head, it is no tampering', async (t) => {
  const site = await operatedSite(t, ['lap-17']);
  const head = await readFile(site.head, 'utf8');
  await site.succeed('hosts', 'lost', 'lap-17');
  await writeFile(site.head, head);
  t.is((await site.run('log', 'verify')).status, 0);
  await site.succeed('hosts', 'lost', 'lap-17', '--found');
  t.is((await site.run('log', 'verify')).status, 0);
});

test('twenty commands at once are one after the other in the log', async (t) => {
  const hosts = Array.from({ length: 20 }, (_, index) => `lap-${index}`);
  const site = await operatedSite(t, hosts);
  const ran = await Promise.all(hosts.map((host) => site.run('hosts', 'lost', host)));
  t.deepEqual(
    ran.filter(({ status }) => status !== 0),
    [],
  );
  const told = (await deeds(site)).slice(1);
  t.deepEqual(
    told.map(({ result }) => result),
    hosts.map(() => 'done'),
  );
  t.deepEqual(told.flatMap((deed) => deed.hosts).sort(), [...hosts].sort());
  t.deepEqual(
    readEntries(await readFile(site.log, 'utf8')).map(({ number }) => number),
    Array.from({ length: 42 }, (_, index) => index + 1),
  );
  t.is((await site.run('log', 'verify')).status, 0);
});

test('log verify names each line that is wrong, ends with 1, and may begin behind what is known', async (t) => {
  const site = await operatedSite(t, ['lap-17']);
  await site.succeed('hosts', 'lost', 'lap-17');
  const text = await readFile(site.log, 'utf8');
  await writeFile(site.log, text.replace('"arguments":["lap-17"]', '"arguments":["lap-18"]'));
  const { status, stdout, stderr } = await site.run('log', 'verify');
  t.is(status, 1);
  t.is(stdout, `${site.log}:3: changed: entry 3 does not fit its hash: it was changed\n`);
  t.is(stderr, `penguindome: cannot vouch for the operator log: 1 thing is wrong with ${site.log}\n`);
  const json = await site.run('log', 'verify', '--json');
  t.like(JSON.parse(json.stdout), { entries: 4, findings: [{ line: 3, kind: 'changed' }] });
  t.is((await site.run('log', 'verify', '--from', '4')).status, 0);
  await writeFile(site.log, text.split('\n').slice(0, 3).join('\n').concat('\n'));
  t.regex((await site.run('log', 'verify')).stdout, /:3: cut-off: entry 4 is missing behind this line/);
});

test('the log is kept through a restore, which is in it', async (t) => {
  const site = await operatedSite(t, ['lap-17']);
  const file = join(site.dir, 'backup.gz');
  await site.succeed('backup', file);
  await site.succeed('hosts', 'lost', 'lap-17');
  await site.succeed('restore', '--yes', file);
  t.deepEqual(
    (await deeds(site)).map(({ command }) => command),
    ['setup', 'backup', 'hosts lost', 'restore'],
  );
  t.is((await site.run('log', 'verify')).status, 0);
});

test('settings that cannot be used do not keep from mending them, and what mends them is logged', async (t) => {
  const site = await operatedSite(t);
  const good = await readFile(site.config, 'utf8');
  await writeFile(site.config, `${good}\nchecks_profile: nonsense\n`);
  t.is((await site.run('hosts', 'lost', 'lap-17')).status, 3);
  await site.succeed('settings', 'set', 'checks_profile', '--unset');
  t.like((await deeds(site)).at(-1), { command: 'settings set', late: true, result: 'done' });
});

test('a setup that was interrupted makes the folder of the log itself, with its own mode', async (t) => {
  const site = await operatedSite(t);
  await rm(join(site.dir, 'state'), { recursive: true });
  await succeed(['setup', '--yes', '--dir', site.dir]);
  t.is((await stat(join(site.dir, 'state'))).mode & 0o777, 0o750);
  t.like((await deeds(site)).at(-1), { command: 'setup', late: true, result: 'done' });
});

test('with the settings somewhere else, setup is logged there', async (t) => {
  const folder = await scratchFolder(t);
  const dir = join(folder, 'a');
  await succeed(['setup', '--yes', '--dir', dir]);
  await succeed(['setup', '--yes', '--dir', dir]);
  const list = await penguindome(['--config', join(dir, 'server.yml'), 'log', 'list', '--json']);
  t.deepEqual(
    JSON.parse(list.stdout).map(({ late }: Deed) => late),
    [true, false],
  );
  t.is((await stat(join(dir, 'state/operator.log'))).mode & 0o777, 0o600);
});

const isRoot = process.getuid?.() === 0;
whenPresent(isRoot, "the operator log written by the server's user: that takes root")(
  "the server's user writes the log although the head is root's, and root's next command goes on",
  async (t) => {
    const site = await operatedSite(t, ['lap-17']);
    for (const folder of ['../..', '..', '.', 'state', 'keys', 'store', 'pki'])
      await chmod(join(site.dir, folder), 0o755);
    const given = spawn('chown', [
      '-R',
      '65534:65534',
      ...['state', 'keys', 'store'].map((name) => join(site.dir, name)),
    ]);
    await once(given, 'exit');
    // as setup leaves it: the folder of the authority is root's, and the server's group may read it
    await chown(join(site.dir, 'pki'), 0, 65534);
    await chown(site.head, 0, 65534);
    const other = spawn(
      'setpriv',
      [
        '--reuid',
        '65534',
        '--regid',
        '65534',
        '--clear-groups',
        process.execPath,
        'build/penguindome',
        '--config',
        site.config,
        'hosts',
        'lost',
        'lap-17',
      ],
      { stdio: 'inherit' },
    );
    const [status] = await once(other, 'exit');
    t.is(status, 0);
    t.like((await deeds(site)).at(-1), { who: { uid: 65534 }, result: 'done' });
    t.is((await site.run('log', 'verify')).status, 0);
    await site.succeed('hosts', 'lost', 'lap-17', '--found');
    t.is((await site.run('log', 'verify')).status, 0);
    t.is((await stat(site.log)).uid, 65534);
  },
);
