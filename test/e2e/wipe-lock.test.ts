import { bootMachine } from './support/machine.ts';
import { onMachine } from './support/needs.ts';
import { program } from './support/site.ts';
import { readTold, wipeDriver } from './support/wipe-driver.ts';

const DRIVER = '/root/wipe-driver.js';

/** Passwords of every kind, keys for all, an account that was locked before, one that expires some day, somebody whose services linger. */
const PEOPLE = `
  for name in alice bob carl dora; do useradd --create-home --shell /bin/bash $name; done
  printf '%s\\n' alice:secret carl:secret dora:secret root:secret | chpasswd
  passwd -q -d bob; usermod --lock carl; chage -E 2030-01-01 dora; chage -d 20000 bob
  rm -f /root/key; ssh-keygen -q -t ed25519 -N '' -f /root/key
  for home in /root /home/alice /home/carl; do
    install -d -m 700 -o "$(stat -c %U $home)" $home/.ssh
    install -m 600 -o "$(stat -c %U $home)" /root/key.pub $home/.ssh/authorized_keys
  done
  loginctl enable-linger alice
  printf 'Port 2200\\nUsePAM yes\\n' >/etc/ssh/other_config
  systemctl enable --now ssh
`;

/** Lets the named one in by key, on that port: prints who they are there. */
const LOG_IN =
  'ssh -i /root/key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=10 -p "$1" "$2@127.0.0.1" id -un';

const SESSION = `[Service]
User=alice
PAMName=login
ExecStart=/bin/sleep infinity
`;

/** All that a lock may change, to the byte: names, modes, owners, contents. */
const STATE = `
  cat /etc/shadow /etc/passwd /etc/group /etc/gshadow
  ls -ld /etc/shadow /etc/passwd | cut -c 1-20
  find /etc -not -name '*-' -not -name .pwd.lock -printf '%p %y %m %U %G\\n' | sort
  ls /var/lib/systemd/linger
  systemctl is-enabled ssh; systemctl is-active ssh
`;

/** Kills a run once it has said this. */
const CUT = `
  rm -f /run/told; mkfifo /run/told
  node ${DRIVER} "$1" order-1 >/run/told & pid=$!
  grep -q -m 1 "$2" /run/told
  kill -KILL $pid
`;

onMachine(
  'a lock keeps everybody out, lasts, may be cut off, and unlock brings back what was, to the byte',
  async (t) => {
    const machine = await bootMachine(t);
    await machine.write(DRIVER, await wipeDriver());
    await machine.run(['sh', '-euc', PEOPLE]);
    await machine.write('/etc/systemd/system/at-the-screen.service', SESSION);
    await machine.run(['systemctl', 'start', 'at-the-screen.service']);
    const sh = async (script: string, ...args: string[]) =>
      (await machine.run(['sh', '-euc', script, 'sh', ...args])).trim();
    const logIn = async (name: string, port = '22') =>
      (await machine.attempt(['sh', '-c', LOG_IN, 'sh', port, name])).stdout.trim();
    const drive = async (name: string) => readTold(await machine.run(['node', DRIVER, name, 'order-1']));

    const before = await sh(STATE);
    const plan = JSON.parse(await machine.run([program('penguindome-agent'), 'wipe-plan', 'lock', '--json']));
    t.true(plan.will.includes('keep ssh.service from starting, and stop it'), plan.will.join('\n'));
    t.is(await sh(STATE), before, 'a plan changes nothing');
    t.deepEqual([await logIn('alice'), await logIn('root')], ['alice', 'root']);

    // Cut off at its beginning, and in the middle; then done, and done once more.
    await machine.run(['bash', '-euc', CUT, 'cut', 'lock', 'nobody but root']);
    await machine.run(['bash', '-euc', CUT, 'cut', 'lock', 'the account bob has expired']);
    const told = await drive('lock');
    t.is(told.outcome?.state, 'done', JSON.stringify(told.outcome, null, 1));
    t.is((await drive('lock')).outcome?.state, 'done');
    t.log(told.outcome?.steps.join('\n'));

    t.is(await sh('loginctl list-sessions --no-legend | grep -vc manager || true'), '0');
    t.is(await sh('ps -eo uid= | awk "\\$1 >= 1000 && \\$1 != 65534" | wc -l'), '0');
    t.is(await sh('ls /var/lib/systemd/linger | wc -l'), '0');
    t.is(await sh("grep -E '^(root|alice|bob|dora):' /etc/shadow | cut -d: -f2 | grep -vc '^!' || true"), '0');
    t.is(await sh("grep -E '^(alice|bob|carl|dora):' /etc/shadow | cut -d: -f8 | sort -u"), '1');
    t.deepEqual([await logIn('alice'), await logIn('root')], ['', '']);
    // As a restart would: it stays off.
    await machine.run(['systemctl', 'daemon-reexec']);
    await machine.run(['systemctl', 'start', 'ssh']);
    t.is((await machine.attempt(['systemctl', 'is-active', 'ssh'])).stdout.trim(), 'inactive');
    // Another sshd that somebody starts lets nobody in but root: keys count no more than passwords.
    const other = [
      '--unit=other',
      '--property=RuntimeDirectory=sshd',
      '/usr/sbin/sshd',
      '-D',
      '-f',
      '/etc/ssh/other_config',
    ];
    await machine.run(['systemd-run', '--quiet', ...other]);
    await machine.until('the other sshd lets root in', async () =>
      (await logIn('root', '2200')) === 'root' ? true : undefined,
    );
    t.deepEqual([await logIn('alice', '2200'), await logIn('carl', '2200')], ['', '']);
    await machine.run(['systemctl', 'stop', 'other']);
    t.is(
      (await machine.attempt(['sh', '-c', 'systemd-run --wait --quiet --property=PAMName=login --uid=alice true']))
        .status === 0,
      false,
    );

    // Undone: cut off in the middle, then done.
    await machine.run(['bash', '-euc', CUT, 'cut', 'unlock', 'the account alice is as it was']);
    const undone = await drive('unlock');
    t.is(undone.outcome?.state, 'done', JSON.stringify(undone.outcome, null, 1));
    t.is(await sh(STATE), before);
    t.deepEqual([await logIn('alice'), await logIn('root')], ['alice', 'root']);
    t.deepEqual((await drive('unlock')).outcome?.steps, ['nothing is locked here']);

    // What somebody changed since is not undone.
    await drive('lock');
    await machine.run(['sh', '-euc', 'echo alice:other | chpasswd; chage -E 2031-01-01 bob; userdel carl']);
    const changed = await sh("grep -E '^alice:' /etc/shadow | cut -d: -f2");
    t.is((await drive('unlock')).outcome?.state, 'done');
    t.is(await sh("grep -E '^alice:' /etc/shadow | cut -d: -f2"), changed);
    t.is(await sh('chage -l bob | grep "Account expires"'), 'Account expires\t\t\t\t\t\t: Jan 01, 2031');
  },
);
