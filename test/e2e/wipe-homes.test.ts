import type { ExecutionContext } from 'ava';
import { bootMachine, type Machine } from './support/machine.ts';
import { onMachine } from './support/needs.ts';
import { program } from './support/site.ts';
import { readTold, wipeDriver } from './support/wipe-driver.ts';

const DRIVER = '/root/wipe-driver.js';

/** Accounts and homes as they are, as they should not be, and as somebody makes them who wants to survive, or to have something else removed. */
const PEOPLE = `
  mkdir -p /srv/data /srv/carol /srv/shared /srv/decoy /home/staff
  echo precious | tee /srv/data/f /srv/carol/f /srv/shared/f /srv/decoy/f /root/f >/dev/null
  useradd --create-home --uid 1000 alice
  useradd --create-home --uid 1001 bob
  useradd --no-create-home --uid 1002 --home-dir /home/carol carol
  ln -s /srv/carol /home/carol; chown -R carol: /srv/carol
  useradd --no-create-home --uid 1003 --home-dir / dave
  useradd --no-create-home --uid 1004 --home-dir /usr/share erin
  useradd --no-create-home --uid 1005 --home-dir /srv/shared frank
  useradd --create-home --uid 1006 --home-dir /home/alice/grace grace
  useradd --no-create-home --uid 1007 --home-dir /srv/x/../decoy heidi
  useradd --create-home --uid 1008 --home-dir /home/mirror ivan
  useradd --system --uid 990 --create-home --home-dir /home/alice/svc svc
  useradd --no-create-home --uid 1010 --home-dir /home/crontabs crontabs
  useradd --create-home --uid 1011 judy; echo secret >/home/judy/f
  usermod --add-subuids 200000-265535 alice
  mkdir /home/ldap /home/www; chown 20001 /home/ldap; chown 33 /home/www; echo x | tee /home/ldap/f /home/www/f >/dev/null
  echo service >/home/alice/svc/f
  mkdir /home/containers; echo x >/home/containers/f; chown -R 500000 /home/containers; echo dockremap:500000:65536 >>/etc/subuid
  mkdir -p /home/ivan; mount --bind /usr /home/mirror
`;

const BELONGINGS = `
  cd /home/alice
  mkdir -p docs/deep ".hidden dir" data
  for i in $(seq 400); do echo secret >docs/deep/$i; done
  ln -s / root; ln -s /etc/passwd docs/passwd; ln -s /srv/decoy docs/decoy
  printf x >"$(printf 'docs/\\377\\n')"
  mount --bind /srv/data data
  mkdir -p fs; mount -t tmpfs none fs; echo x >fs/f
  chown -R -h alice: docs
  install -d -m 1730 /var/spool/cron/crontabs
  echo '* * * * * touch /srv/again' >/var/spool/cron/crontabs/alice
  echo '* * * * * true' >/var/spool/cron/crontabs/root
  echo mail >/var/mail/alice; echo mail >/var/mail/root
  mkdir -p /tmp/hers/x; ln -s /srv/decoy /tmp/hers/decoy; ln -s /srv/decoy/f /var/tmp/hers; echo x >/tmp/roots
  touch /dev/shm/hers /tmp/subordinate; chown -R -h alice: /tmp/hers /var/tmp/hers /dev/shm/hers; chown 200005 /tmp/subordinate
  loginctl enable-linger alice
`;

/** What fights back: respawns, and a service that runs as one of them. */
const FIGHTER = `[Unit]
StartLimitIntervalSec=0
[Service]
User=bob
ExecStart=/bin/sh -c 'trap "" TERM; while :; do sleep 1; done'
Restart=always
RestartSec=0
`;
const SESSION = `[Service]
User=alice
PAMName=login
ExecStart=/bin/sh -c 'trap "" TERM HUP; (trap "" TERM HUP; while :; do sh -c "sleep 0.2" & sleep 0.1; done) & while :; do sleep 1; done'
`;

/** What somebody does who wants his home to look like another machine's: FUSE, as fusermount mounts it for him. It never answers. */
const COVER = `[Service]
Type=exec
ExecStart=/bin/bash -ec 'exec 5<>/dev/fuse; LIBMOUNT_FORCE_MOUNT2=always mount -i -t fuse.x -o fd=5,rootmode=40000,user_id=1011,group_id=1011 x /home/judy; exec setpriv --reuid 1011 --clear-groups sleep infinity'
`;

async function cover(machine: Machine): Promise<void> {
  await machine.write('/etc/systemd/system/cover.service', COVER);
  await machine.run(['systemctl', 'start', 'cover.service']);
  await machine.until('a mount over a home', async () => {
    const { status } = await machine.attempt(['grep', '-q', ' /home/judy .* fuse.x ', '/proc/self/mountinfo']);
    return status === 0 ? true : undefined;
  });
}

async function prepare(t: ExecutionContext): Promise<Machine> {
  const machine = await bootMachine(t, { binds: { '/dev/fuse': '/dev/fuse' } });
  await machine.write(DRIVER, await wipeDriver());
  await machine.run(['sh', '-euc', PEOPLE]);
  await machine.run(['sh', '-euc', BELONGINGS]);
  for (const [unit, text] of [
    ['fighter.service', FIGHTER],
    ['at-the-screen.service', SESSION],
  ] as const) {
    await machine.write(`/etc/systemd/system/${unit}`, text);
    await machine.run(['systemctl', 'start', unit]);
  }
  return machine;
}

/** A digest of names, modes, owners and contents. */
const STATE = `
  find /usr/share/doc /etc /srv /root /boot /var/lib/dpkg /home /tmp /var/mail /var/spool -xdev -not -name '*.log' -printf '%p %y %m %U %G %s\\n' 2>/dev/null |
    grep -vE '^/(tmp/systemd-private|root/wipe-driver|tmp/v8-compile)' | sort | sha256sum
`;

/** Kills a wipe once it has said this. */
const CUT = `
  rm -f /run/told; mkfifo /run/told
  node ${DRIVER} homes order-1 >/run/told & pid=$!
  grep -q -m 1 "$1" /run/told
  kill -KILL $pid
`;

onMachine('a wipe of homes removes what is people’s, finishes after kill -9, and touches nothing else', async (t) => {
  const machine = await prepare(t);
  const sh = async (script: string) => (await machine.run(['sh', '-euc', script])).trim();

  const before = await sh(STATE);
  const plan = JSON.parse(await machine.run([program('penguindome-agent'), 'wipe-plan', 'homes', '--json']));
  t.is(await sh(STATE), before, 'a plan changes nothing');
  t.is(plan.method, 'homes');
  t.true(plan.will.includes('remove the home /home/alice'), plan.will.join('\n'));
  t.regex(plan.out_of_reach.join('\n'), /the home \/home\/carol stays: it is a symbolic link to \/srv\/carol/);

  await cover(machine);
  // Cut off in the middle, twice: before anything is done, and once processes are gone.
  const cut = (after: string) => machine.run(['bash', '-euc', CUT, 'cut', after]);
  await cut('"before"');
  t.is(await sh('id -u alice'), '1000');
  await cut('ended the sessions');

  const told = readTold(await machine.run(['node', DRIVER, 'homes', 'order-1']));
  t.deepEqual(told.before, [], 'the server was told, and is not again');
  t.is(told.outcome?.state, 'failed', JSON.stringify(told.outcome, null, 1));
  t.log(told.outcome?.steps.join('\n'));

  // Everything of theirs that can be removed has gone.
  for (const path of [
    '/home/bob',
    '/home/ldap',
    '/home/alice/docs',
    '/home/alice/grace',
    '/home/alice/data',
    '/home/alice/root',
    '/home/judy',
  ])
    t.is((await machine.attempt(['test', '-e', path])).status, 1, path);
  for (const path of [
    '/var/mail/alice',
    '/var/spool/cron/crontabs/alice',
    '/tmp/hers',
    '/var/tmp/hers',
    '/dev/shm/hers',
    '/tmp/subordinate',
  ])
    t.is((await machine.attempt(['test', '-e', path])).status, 1, path);
  t.is(await sh('getent passwd | cut -d: -f3 | awk "\\$1 >= 1000 && \\$1 <= 60000"'), '');
  t.is(await sh('ps -eo uid= | awk "\\$1 >= 1000 && \\$1 != 65534" | wc -l'), '0');
  t.is(await sh('ls /var/lib/systemd/linger | wc -l'), '0');
  t.is((await machine.attempt(['test', '-e', '/run/nologin'])).status, 1);

  // What is not theirs is as it was.
  t.is(await sh('cat /srv/data/f /srv/carol/f /srv/shared/f /srv/decoy/f /root/f'), 'precious\n'.repeat(5).trim());
  t.is(
    await sh(
      'cat /home/alice/svc/f; cat /home/www/f /home/containers/f; cat /var/mail/root /tmp/roots /var/spool/cron/crontabs/root',
    ),
    'service\nx\nx\nmail\nx\n* * * * * true',
  );
  t.is(await sh('dpkg --verify 2>/dev/null | grep -v " c " | grep missing | wc -l'), '0');
  t.is(await sh('id -u root svc nobody www-data | tr "\\n" " "'), '0 990 65534 33');
  t.is(await sh('ls /usr/share | head -c1 | wc -c'), '1');

  // And what stays is said.
  const said = told.outcome?.steps.join('\n') ?? '';
  for (const part of [
    'not done: /home/alice/svc is still there',
    'out of reach: the home / stays: it is a folder of the system',
    'out of reach: the home /usr/share stays: it is a folder of the system',
    'out of reach: the home /home/carol stays: it is a symbolic link',
    'out of reach: the home /srv/shared stays: the folder belongs to the user with the number 0',
    'out of reach: the home /home/mirror stays: it is the same folder as one of the system',
    'unmounted /home/alice/data; what is in it stays',
    'stopped fighter.service, which runs as one of these users',
  ])
    t.true(said.includes(part), part);
});
