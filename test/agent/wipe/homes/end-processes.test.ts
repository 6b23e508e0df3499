import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'ava';
import { endProcesses, unitOf } from '../../../../src/agent/wipe/homes/end-processes.ts';
import { systemTools } from '../../../../src/agent/wipe/tools.ts';
import { whenPresent } from '../../../support/needs.ts';

for (const [text, unit] of [
  ['0::/system.slice/app.service', 'app.service'],
  ['0::/system.slice/system-getty.slice/getty@tty1.service', 'getty@tty1.service'],
  ['0::/system.slice/docker.service/inner', 'docker.service'],
  ['12:pids:/x\n1:name=systemd:/system.slice/app.service', 'app.service'],
  ['0::/user.slice/user-1000.slice/session-2.scope', undefined],
  // A user names groups below their own slice as they like.
  ['0::/user.slice/user-1000.slice/user@1000.service/system.slice/evil.service', undefined],
  ['0::/machine.slice/x.scope', undefined],
  ['', undefined],
] as const) {
  test(`the cgroup ${JSON.stringify(text)} is ${unit === undefined ? 'no service of the system' : unit}`, (t) => {
    t.is(unitOf(`${text}\n`), unit);
  });
}

/** Nobody has this number. */
const UID = 54_321;

whenPresent(process.geteuid?.() === 0, 'processes of another user: root')(
  'what starts itself again and again ends as well, and nobody else’s does',
  async (t) => {
    // Each child has a child, and ends: it never has the same number for long. Whatever goes wrong here, it ends by itself.
    const hydra =
      'import os,time\nos.setuid(int(os.environ["U"]))\nos.fork()\nend=time.monotonic()+30\nwhile time.monotonic() < end:\n  time.sleep(.001)\n  if os.fork(): os._exit(0)';
    const others = spawn('sleep', ['600']);
    t.teardown(() => others.kill());
    const child = spawn('python3', ['-c', hydra], { env: { ...process.env, U: `${UID}` }, stdio: 'ignore' });
    const ended = once(child, 'exit');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const run = systemTools(new AbortController().signal);
    t.deepEqual(await endProcesses({ run, isTheirs: (uid) => uid === UID }), { left: 0, stopped: [] });
    await ended;
    t.is(others.exitCode, null);
  },
);
