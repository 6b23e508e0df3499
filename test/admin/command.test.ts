import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { days, minutes } from '../../src/core/duration.ts';
import { verifyOrder } from '../../src/crypto/order-signatures.ts';
import { loadOrderKeys } from '../../src/settings/order-key-files.ts';
import { ordersSite } from './orders-site.ts';
import { operate } from './site-in-process.ts';

test('a shell command is an order for the host, signed by the server, with a script that runs it', async (t) => {
  const site = await ordersSite(t);
  const out = await site.ok('command', 'df -h /', '--host', 'LAP-17', '--why', 'case 4711');
  const { order, manifest, targets } = await site.only(t);
  t.regex(out, new RegExp(`order ${order.id} is for lap-17 to fetch`));
  t.like(manifest, { kind: 'command', timeout: 3600, why: 'case 4711', id: order.id });
  t.true(manifest.by.length > 0);
  t.deepEqual(
    targets.map(({ hostname, state }) => [hostname, state]),
    [['lap-17', 'queued']],
  );
  t.deepEqual(manifest.targets, [{ host_id: targets[0]?.host_id, hostname: 'lap-17' }]);
  const [file] = manifest.files;
  t.like(file, { path: 'commands/shell', mode: 0o700 });
  const content = await site.db.orders.readFile(file?.sha256 ?? '', 0, 1000);
  t.is(Buffer.from(content ?? []).toString(), '#!/bin/sh\ndf -h /\n');
  t.is(order.expires_at.getTime() - order.made_at.getTime(), days(7));
  const { present } = await loadOrderKeys({ keys: `${site.folder}/keys` }, new Date());
  const trust = { order: present, authorization: 'server' as const, operators: [], revocations: null };
  t.deepEqual(await verifyOrder(order.manifest, order.signatures, trust, new Date()), {
    server: true,
    operators: [],
    faults: [],
  });
});

test('a script goes under its own name, and one may come from standard input', async (t) => {
  const site = await ordersSite(t);
  const script = await site.file('-collect logs.sh', '#!/bin/sh\ntrue\n', 0o600);
  await site.ok('command', '--script', script, '--host', 'lap-17', '--timeout', '90s', '--expires', '2d');
  t.like((await site.only(t)).manifest, { files: [{ path: 'commands/collect-logs.sh', mode: 0o700 }], timeout: 90 });
  const { status } = await operate(['--config', site.config, 'command', '--script', '-', '--host', 'lap-17'], {
    input: '#!/bin/true\n',
  });
  t.is(status, 0);
  t.like((await site.orders())[1]?.manifest, { files: [{ path: 'commands/script', size: 12 }] });
});

test('patterns and --all mean the hosts that fit, and ask first', async (t) => {
  const site = await ordersSite(t, { v1: ['old-1'] });
  t.regex(
    await site.refused(t, 'command', 'true', '--host', 'lap-*'),
    /cannot ask "Run it as root on 2 hosts \(lap-17, lap-18\)\? .*use --yes/,
  );
  t.deepEqual(await site.orders(), []);
  await site.ok('command', 'true', '--host', 'lap-*', 'lap-17', '--yes');
  const { err, status } = await site.run('command', 'true', '--all', '--yes');
  t.is(status, 0);
  t.regex(err, /left out, since they speak the original protocol, which is off: old-1/);
  t.deepEqual(
    (await site.orders()).map(({ targets }) => targets.map(({ hostname }) => hostname)),
    [
      ['lap-17', 'lap-18'],
      ['desk-1', 'lap-17', 'lap-18'],
    ],
  );
});

test('the operator log names the hosts that an order is for', async (t) => {
  const site = await ordersSite(t);
  await site.ok('command', 'true', '--host', 'lap-*', '--yes');
  t.like((await site.json('log', 'list', '--command', 'command')) as object, [
    { hosts: ['lap-17', 'lap-18'], result: 'done' },
  ]);
});

test('hosts that cannot be told are refused, with what to do', async (t) => {
  const site = await ordersSite(t, { v1: ['old-1'] });
  const refused = (...args: string[]) => site.refused(t, 'command', 'true', ...args);
  t.regex(await refused(), /cannot tell which hosts are meant: expected --host .* or --all/);
  t.regex(await refused('--all', '--host', 'lap-17'), /cannot tell which hosts/);
  t.regex(await refused('--host', 'nobody'), /cannot find a host named nobody/);
  t.regex(await refused('--host', 'srv-*', '--yes'), /cannot find a host that fits srv-\*/);
  t.regex(await refused('--host', 'old-1'), /old-1: it speaks the original protocol.*enrol/);
  t.regex(await refused('--host', 'old-*', '--yes'), /all that fit speak the original protocol \(old-1\)/);
  const host = await site.db.hosts.find('lap-18');
  for (const { id } of host?.identity?.keys ?? []) await site.db.hosts.revokeKey(id, new Date());
  t.regex(await refused('--host', 'lap-18'), /lap-18: its keys are revoked .*enrol anew/);
  t.deepEqual(await site.orders(), []);
});

test('what cannot be run, and options that do not fit, are wrong usage, and nothing is ordered', async (t) => {
  const site = await ordersSite(t);
  const no = async (...args: string[]) => {
    const { status, err } = await site.run('command', '--host', 'lap-17', ...args);
    t.is(status, 2, err);
    return err;
  };
  t.regex(await no(), /cannot tell what is to be run/);
  t.regex(await no('--', '  '), /cannot tell what is to be run/);
  const script = await site.file('text', 'no program\n');
  t.regex(await no('--script', script, '--', 'true'), /cannot tell what is to be run/);
  t.regex(await no('--script', script), /hosts could not run it: expected a program, or a script/);
  t.regex(await no('--script', `${script}-not-there`), /cannot read .*ENOENT/);
  t.regex(await no('--script', site.folder), /it is no regular file/);
  t.regex(await no('--timeout', '8d', '--', 'true'), /at most 7d/);
  t.regex(await no('--expires', '91d', '--', 'true'), /at most 90d/);
  t.regex(await no('--not-before', 'soon', '--', 'true'), /Expected a time/);
  t.regex(await no('--not-before', '8d', '--', 'true'), /it would expire .* before it may be done/);
  t.regex(await no('--why', 'two\nlines', '--', 'true'), /Expected one line/);
  t.deepEqual(await site.orders(), []);
});

test('an order that is to wait says from when on; a time that is past says nothing', async (t) => {
  const site = await ordersSite(t);
  await site.ok('command', 'true', '--host', 'lap-17', '--not-before', '10m');
  await site.ok('command', 'true', '--host', 'lap-17', '--not-before', '2020-01-01');
  const [later, now] = await site.orders();
  t.is((later?.order.not_before?.getTime() ?? 0) - (later?.order.made_at.getTime() ?? 0), minutes(10));
  t.is(later?.manifest.not_before, later?.order.not_before?.toISOString());
  t.is(now?.manifest.not_before, undefined);
});

test('--wait shows what each host says as it comes, and fails where one did not do it', async (t) => {
  const site = await ordersSite(t);
  const running = site.run('command', 'id', '--host', 'lap-17', 'lap-18', '--wait-for', '60s');
  let order: string | undefined;
  while (order === undefined) {
    order = (await site.orders())[0]?.order.id;
    await sleep(20);
  }
  const stdout = { text: 'uid=0\n', bytes: 6, truncated: false };
  await site.reports('lap-17', { order, state: 'done', exit_status: 0, duration_ms: 1500, stdout });
  await site.reports('lap-18', {
    order,
    state: 'failed',
    exit_status: 3,
    stderr: { base64: 'AA==', bytes: 9, truncated: true },
  });
  const { status, out, err } = await running;
  t.is(status, 1);
  t.regex(out, /lap-17: done: exit status 0\n {2}took 1\.5 s\n {2}stdout:\n {4}uid=0\n/);
  t.regex(out, /lap-18: failed: exit status 3\n {2}stderr, the beginning of 9 bytes, as base64:\n {4}AA==\n/);
  t.regex(err, /1 of 2 hosts did not do it: lap-18 \(failed: exit status 3\)/);
});

test('--wait tells at once what one host says while another has not ended, and ends with the order', async (t) => {
  t.timeout(60_000);
  const site = await ordersSite(t);
  const running = site.run(...['command', 'id', '--host', 'lap-17', 'lap-18', '--expires', '8s', '--wait-for', '10m']);
  let order: string | undefined;
  while (order === undefined) {
    order = (await site.orders())[0]?.order.id;
    await sleep(20);
  }
  await site.reports('lap-18', { order, state: 'running' });
  await sleep(1500);
  await site.reports('lap-17', { order, state: 'done', exit_status: 0 });
  const { status, out, err } = await running;
  t.is(status, 1);
  t.regex(out, /lap-17: done/);
  t.regex(err, /1 of 2 hosts have not done it yet: lap-18/);
});

test('what a host says of itself does not look like the words of another', async (t) => {
  const site = await ordersSite(t);
  const running = site.run('command', 'id', '--host', 'lap-17', '--wait-for', '60s');
  let order: string | undefined;
  while (order === undefined) {
    order = (await site.orders())[0]?.order.id;
    await sleep(20);
  }
  const reason = 'no\nlap-18: done: exit status 0';
  await site.reports('lap-17', {
    order,
    state: 'failed',
    signal: 'x\nlap-18: done',
    reason,
    steps: ['a\nlap-18: done'],
  });
  const { out, err } = await running;
  const shown = await site.ok('orders', 'show', order);
  for (const text of [out, err, shown]) {
    t.notRegex(text, /^\s*lap-18/m);
    t.regex(text, /\\nlap-18: done: exit status 0/);
  }
});

test('--wait --json is one value, with status 0 where every host did it', async (t) => {
  const site = await ordersSite(t);
  const running = site.json('command', 'id', '--host', 'lap-17', '--wait');
  let order: string | undefined;
  while (order === undefined) {
    order = (await site.orders())[0]?.order.id;
    await sleep(20);
  }
  await site.reports('lap-17', { order, state: 'running' });
  await site.reports('lap-17', { order, state: 'done', exit_status: 0 });
  t.like(await running, {
    order,
    kind: 'command',
    hosts: [{ hostname: 'lap-17' }],
    results: [{ hostname: 'lap-17', state: 'done', report: { exit_status: 0 } }],
  });
});

test('whoever waits no longer is told how to look later', async (t) => {
  const site = await ordersSite(t);
  const { status, err } = await site.run('command', 'id', '--host', 'lap-17', '--wait-for', '0s');
  t.is(status, 1);
  t.regex(err, /1 of 1 hosts have not done it yet: lap-17 \(queued\); penguindome orders show/);
  const stop = new AbortController();
  const running = operate(['--config', site.config, 'command', 'id', '--host', 'lap-17', '--wait'], stop);
  while ((await site.orders()).length < 2) await sleep(20);
  stop.abort();
  const interrupted = await running;
  t.is(interrupted.status, 130);
  t.regex(interrupted.err, /it goes on: penguindome orders show|interrupted/);
});

test('a server without its secret order key orders nothing, and says what is missing', async (t) => {
  const site = await ordersSite(t);
  const { rm, chmod, copyFile } = await import('node:fs/promises');
  const key = `${site.folder}/keys/order.asc`;
  await copyFile(key, `${key}.aside`);
  await chmod(key, 0o644);
  t.regex(await site.refused(t, 'command', 'id', '--host', 'lap-17'), /order\.asc: others may read it/);
  await rm(key);
  t.regex(await site.refused(t, 'command', 'id', '--host', 'lap-17'), /cannot read .*order\.asc: it does not exist/);
  await copyFile(`${site.folder}/keys/order-public.asc`, key);
  await chmod(key, 0o600);
  t.regex(await site.refused(t, 'command', 'id', '--host', 'lap-17'), /order\.asc: it holds no secret key/);
  t.deepEqual(await site.orders(), []);
});
