import { join } from 'node:path';
import type { Machine } from './machine.ts';
import type { Site } from './site.ts';

/** Where a test shows `UNITS` in its machine. */
const SHOWN = '/opt/systemd';

/** To be shown in a machine that gets the agent's own units. */
export const UNITS = { [join(process.cwd(), 'systemd')]: SHOWN };

/** What the agent's package would do: programs, units, users and folders where they belong. */
const INSTALL = `
  to=/usr/lib/penguindome/bin
  install -d $to
  cp -p /opt/penguindome/build/penguindome-agent* /opt/penguindome/build/penguindome-tick \
    /opt/penguindome/build/penguindome-plugin-tool /opt/penguindome/build/package.json $to/
  ln -s $to/penguindome-agent /usr/bin/penguindome-agent
  $to/penguindome-agent --make-code-cache
  cd ${SHOWN}
  cp penguindome-agent.target penguindome-apply.* penguindome-collect* penguindome-enroll.* penguindome-rotate-key.* \
    penguindome-submit.* /usr/lib/systemd/system/
  cp penguindome-agent.sysusers /usr/lib/sysusers.d/penguindome-agent.conf
  cp penguindome-agent.tmpfiles /usr/lib/tmpfiles.d/penguindome-agent.conf
  systemd-sysusers; systemd-tmpfiles --create penguindome-agent.conf
`;

/** A minute of these timers takes two seconds. */
const QUICK = '[Timer]\nAccuracySec=100ms\nOnCalendar=\nOnCalendar=*:*:0/2\nRandomizedDelaySec=0\n';

export async function installRealUnits(machine: Machine): Promise<void> {
  await machine.run(['sh', '-euc', INSTALL]);
  await machine.run(['systemctl', 'daemon-reload']);
}

/** Installs the agent with its own units, has them enrol the machine, and waits until it has reported. Timers fire every two seconds. */
export async function startRealUnits(machine: Machine, site: Site): Promise<void> {
  await installRealUnits(machine);
  for (const name of ['apply', 'collect', 'submit'])
    await machine.write(`/etc/systemd/system/penguindome-${name}.timer.d/50-test.conf`, QUICK);
  await machine.write(
    '/etc/penguindome/agent.d/50-test.yml',
    'submit_interval: 1s\ncollectors:\n  disabled: [os_updates]\n',
  );
  await machine.run(['systemctl', 'daemon-reload']);
  await machine.run(['systemctl', 'enable', '--now', '--quiet', 'penguindome-agent.target']);
  const token = await site.dome('enrollment', 'token', '--approve', '--uses', '1', '--expires', '1h');
  await machine.write('/etc/penguindome/.token', token, '600');
  await machine.run(['mv', '/etc/penguindome/.token', '/etc/penguindome/enrollment-token']);
  const hostname = (await machine.run(['uname', '-n'])).trim();
  await machine.until('the first report', async () => {
    const shown = await site.dome('hosts', 'show', hostname, '--json').catch(() => '');
    return /"submitted_at": "/.test(shown) ? true : undefined;
  });
}

/** The unit's drop-in comes on standard input, and goes again. */
const INSTEAD = `
  drop_in=/run/systemd/system/$1.d/instead.conf
  mkdir -p /run/systemd/system/$1.d
  cat >$drop_in
  systemctl daemon-reload
  systemctl start "$1" 2>/dev/null || true
  systemctl show --value -p ExecMainStatus "$1"
  rm $drop_in
  systemctl daemon-reload
  systemctl reset-failed "$1" 2>/dev/null || true
`;

/** What a unit could do if it were somebody else's: the same sandbox, and another program in it. @returns its exit status */
export async function insteadOf(machine: Machine, unit: string, command: string): Promise<string> {
  const lines = [
    'ExecCondition=',
    'ExecStartPost=',
    'ExecStopPost=',
    'ExecStart=',
    `ExecStart=/usr/bin/timeout 5 /bin/bash -c '${command}'`,
    'Type=oneshot',
    'Restart=no',
    'SuccessExitStatus=0',
  ];
  // An empty condition takes away all of them, of any kind.
  const input = `[Unit]\nConditionPathExists=\n[Service]\n${lines.join('\n')}\n`;
  return (await machine.run(['sh', '-euc', INSTEAD, 'sh', unit], { input })).trim();
}
