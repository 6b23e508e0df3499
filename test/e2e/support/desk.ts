import type { ExecutionContext } from 'ava';
import { bootMachine, type Machine } from './machine.ts';
import { program } from './site.ts';

/** A machine with one person, alice, and no desktop but what a test starts in her session. */
export interface Desk {
  readonly machine: Machine;
  /**
   * Logs her in: a session of logind's with a bus, and in it this shell script, which must not end.
   * @param environment XDG_SESSION_TYPE and XDG_SESSION_DESKTOP, and whatever else
   */
  logIn(environment: Record<string, string>, script?: string): Promise<void>;
  logOut(): Promise<void>;
  /** a command of hers, in her session */
  as(...command: string[]): Promise<string>;
  /** what the collector says, run by the agent as root */
  collected(name: string): Promise<unknown>;
}

const UNIT = 'alice-at-the-screen.service';
const UID = 1000;

/** PAM makes the session (`PAMName=`), as it does for a display manager. */
const SESSION = `[Unit]
After=systemd-user-sessions.service
[Service]
User=alice
PAMName=login
Environment=XDG_SESSION_CLASS=user XDG_SEAT=seat0
EnvironmentFile=/etc/alice.env
WorkingDirectory=~
ExecStart=/bin/sh /etc/alice.sh
KillMode=control-group
`;

export async function bootDesk(t: ExecutionContext): Promise<Desk> {
  const machine = await bootMachine(t, { variant: 'desktop' });
  await machine.run(['useradd', '--create-home', '--uid', `${UID}`, 'alice']);
  await machine.write(`/etc/systemd/system/${UNIT}`, SESSION);
  t.teardown(async () => {
    if (!t.passed) t.log((await machine.attempt(['journalctl', '--no-pager', '-u', UNIT, '-n', '60'])).stdout);
  });
  const bus = `unix:path=/run/user/${UID}/bus`;
  const as = (...command: string[]) =>
    machine.run([
      ...['runuser', '-u', 'alice', '--', 'env', 'HOME=/home/alice', `XDG_RUNTIME_DIR=/run/user/${UID}`],
      `DBUS_SESSION_BUS_ADDRESS=${bus}`,
      ...command,
    ]);
  const logOut = async () => {
    // What her script started is of her session, and not of the unit.
    await machine.attempt(['loginctl', 'terminate-user', 'alice']);
    await machine.run(['systemctl', 'stop', UNIT]);
    await machine.until('alice has gone', async () =>
      /^\s*\S+\s+1000 alice .*seat0/m.test(await machine.run(['loginctl', 'list-sessions', '--no-legend']))
        ? undefined
        : true,
    );
  };
  return {
    machine,
    as,
    logOut,
    async logIn(environment, script = 'sleep infinity') {
      const lines = Object.entries(environment).map(([key, value]) => `${key}=${value}\n`);
      await machine.write('/etc/alice.env', lines.join(''));
      await machine.write('/etc/alice.sh', `${script}\n`);
      await machine.run(['systemctl', 'daemon-reload']);
      await machine.run(['systemctl', 'start', UNIT]);
      await machine.until("alice's bus is there", async () =>
        (await machine.attempt(['test', '-S', `/run/user/${UID}/bus`])).status === 0 ? true : undefined,
      );
    },
    collected: async (name) => JSON.parse(await machine.run([program('penguindome-agent'), 'collectors', 'run', name])),
  };
}
