import { spawnSync } from 'node:child_process';
import { createNotifier } from '../../src/server/notify.ts';
import { whenPresent } from '../support/needs.ts';
import { notifySocket } from '../support/notify-socket.ts';

const has = (command: string): boolean => spawnSync(command, ['--version']).status === 0;
const test = whenPresent(has('systemd-notify') && has('python3'), 'telling systemd: no systemd-notify, or no python3');

function recorder(): { events: string[]; log: { event(name: string): void } } {
  const events: string[] = [];
  return { events, log: { event: (name) => void events.push(name) } };
}

test('systemd is told READY, STATUS, EXTEND_TIMEOUT_USEC and STOPPING, in that order', async (t) => {
  const socket = await notifySocket(t);
  process.env['NOTIFY_SOCKET'] = socket.path;
  const { events, log } = recorder();
  const notifier = createNotifier({ socket: socket.path }, log);
  void notifier.status('waiting');
  void notifier.extend(30_000);
  void notifier.ready('2 ports');
  await notifier.stopping();
  await socket.waitFor('STOPPING=1');
  const told = socket.told.filter((line) => !/^(MAINPID|BARRIER)=/.test(line));
  t.deepEqual(told, ['STATUS=waiting', 'EXTEND_TIMEOUT_USEC=30000000', 'READY=1', 'STATUS=2 ports', 'STOPPING=1']);
  t.deepEqual(events, []);
});

test('the watchdog is pinged at half its time, until the end', async (t) => {
  const socket = await notifySocket(t);
  process.env['NOTIFY_SOCKET'] = socket.path;
  const { log } = recorder();
  const end = new AbortController();
  createNotifier({ socket: socket.path, watchdogMicroseconds: 400_000 }, log).startWatchdog(end.signal);
  const pings = (): number => socket.told.filter((line) => line === 'WATCHDOG=1').length;
  while (pings() < 4) await new Promise((resolve) => setTimeout(resolve, 20));
  end.abort();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const after = pings();
  await new Promise((resolve) => setTimeout(resolve, 800));
  t.is(pings(), after);
});

test('without a socket nothing is told, and with a dead one it is logged', async (t) => {
  const { events, log } = recorder();
  await createNotifier({}, log).ready('x');
  t.deepEqual(events, []);
  process.env['NOTIFY_SOCKET'] = '/nonexistent/notify';
  const notifier = createNotifier({ socket: '/nonexistent/notify' }, log);
  await notifier.stopping();
  t.deepEqual(events, ['notify.failed']);
});
