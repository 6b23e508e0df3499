import { setTimeout as sleep } from 'node:timers/promises';
import { bootMachine, PROGRAMS } from './support/machine.ts';
import { onMachine } from './support/needs.ts';
import { DIR, PORT, setUpSite, UNIT } from './support/site.ts';

const WATCHDOG_SECONDS = 3;

onMachine('the unit is active once both ports listen, and its status tells figures', async (t) => {
  const machine = await bootMachine(t);
  const site = await setUpSite(machine);
  await machine.run(['systemctl', 'start', UNIT]);
  const listening = await machine.run(['ss', '-Hltn']);
  t.regex(listening, new RegExp(`:${PORT}\\s`));
  t.regex(listening, /127\.0\.0\.1:5000\s/);
  t.is(await site.property('ActiveState'), 'active');
  t.regex(await site.property('StatusText'), /\d/);
  t.is(await site.local('/healthz'), 200);
  t.is(await site.local('/readyz'), 200);
});

onMachine('the watchdog lets a living server be, and replaces one that hangs, or a worker of which does', async (t) => {
  const machine = await bootMachine(t);
  const site = await setUpSite(machine, {
    service: { Restart: 'on-watchdog', RestartSec: '0', WatchdogSec: `${WATCHDOG_SECONDS}` },
  });
  await machine.run(['systemctl', 'start', UNIT]);
  const first = await site.property('MainPID');
  await sleep(2.5 * WATCHDOG_SECONDS * 1000);
  t.is(await site.property('MainPID'), first);
  t.is(await site.property('NRestarts'), '0');

  const processes = async () =>
    (await machine.run(['sh', '-c', `cat /sys/fs/cgroup/system.slice/${UNIT}/cgroup.procs`])).trim().split('\n');
  const isWorker = `grep -lsz '^PENGUINDOME_ROLE=worker$' /proc/[0-9]*/environ | head -n 1 | cut -d / -f 3`;
  let before = await processes();
  for (const [restarts, find] of [
    ['1', `systemctl show -P MainPID ${UNIT}`],
    ['2', isWorker],
  ] as const) {
    const hanging = (await machine.run(['sh', '-c', find])).trim();
    t.true(before.includes(hanging));
    await machine.run(['kill', '-STOP', hanging]);
    await machine.until('the watchdog has restarted the server', async () =>
      (await site.property('NRestarts')) === restarts && (await site.property('ActiveState')) === 'active'
        ? true
        : undefined,
    );
    const after = await processes();
    t.deepEqual(
      after.filter((pid) => before.includes(pid)),
      [],
      'none is left of those before',
    );
    t.is(await site.local('/readyz'), 200);
    before = after;
  }
});

onMachine('a reload takes over a new certificate and keeps the connections that are open', async (t) => {
  const machine = await bootMachine(t);
  await setUpSite(machine);
  await machine.run(['systemctl', 'start', UNIT]);
  const [certificate, key] = [`${DIR}/state/tls/server.crt`, `${DIR}/state/tls/server.key`];
  const owner = (await machine.run(['stat', '-c', '%u:%g %a', key])).trim();
  await machine.run([
    ...'openssl req -x509 -newkey rsa:2048 -nodes -days 7 -subj /CN=localhost -addext subjectAltName=DNS:localhost'.split(
      ' ',
    ),
    ...['-out', `${certificate}.new`, '-keyout', `${key}.new`],
  ]);
  t.is(owner, '0:0 600');
  const script = `${PROGRAMS}/machine/keep-connection.mjs`;
  const url = `https://localhost:${PORT}/`;
  const saw = JSON.parse(
    await machine.run(['node', script, url, UNIT, `${certificate}.new`, `${key}.new`, certificate, key]),
  );
  t.not(saw.fresh.fingerprint, saw.before.fingerprint);
  t.is(saw.after.localPort, saw.before.localPort);
  t.is(saw.after.fingerprint, saw.before.fingerprint);
});

onMachine('SIGTERM ends the server cleanly within ten seconds, though a request hangs', async (t) => {
  const machine = await bootMachine(t);
  const site = await setUpSite(machine, { service: { TimeoutStopSec: '10' } });
  await machine.run(['systemctl', 'start', UNIT]);
  const script = `${PROGRAMS}/machine/half-request.mjs`;
  await machine.run([
    ...'systemd-run --quiet --unit half-request -p Type=notify -p NotifyAccess=all --'.split(' '),
    ...['/usr/bin/node', script, `${PORT}`],
  ]);
  await machine.run(['systemctl', 'stop', UNIT]);
  t.is(await site.property('ActiveState'), 'inactive');
  t.is(await site.property('Result'), 'success');
  t.is(await site.property('ExecMainStatus'), '0');
});
