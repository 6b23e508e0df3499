import * as z from 'zod';
import { bootMachine, type Machine } from './support/machine.ts';
import { onMachine } from './support/needs.ts';
import { program } from './support/site.ts';

const names = z.array(z.string());
const accounts = z.object({
  authorized_keys: z.array(z.object({ user: z.string(), keys: z.number() })).optional(),
  empty_passwords: names,
  home_permissions: z.object({ readable: names, writable: names }),
  password_hashes: z.object({ kinds: z.record(z.string(), z.number()), weak: names }),
  password_policy: z.object({
    quality: z.object({ min_length: z.number() }),
    lockout: z.object({ module: z.string() }),
  }),
  polkit: z.object({ installed: z.boolean() }),
  privileged_groups: z.record(z.string(), names),
  ssh_keys: z.array(z.object({ user: z.string(), keys: z.number(), unprotected: z.number() })).optional(),
  sudo: z.object({
    installed: z.boolean(),
    everything: z.array(z.object({ who: z.string(), password: z.boolean() })),
  }),
  uid0: names,
  umask: z.object({ mask: z.string(), everywhere: z.boolean(), user_groups: z.boolean() }),
});
const protection = z.object({
  antivirus: z.array(z.unknown()),
  audit_log: z.object({ auditd: z.string(), journal: z.string(), syslog: z.boolean() }),
  certificates: z.object({ checked: z.number(), expiring: z.array(z.object({ path: z.string(), class: z.string() })) }),
  mac: z.unknown(),
  time_sync: z.object({ service: z.string(), synchronised: z.boolean() }).optional(),
});

/** What one collector says, run by the built agent as root. */
async function collected<T>(machine: Machine, name: string, schema: z.ZodType<T>): Promise<T> {
  return schema.parse(JSON.parse(await machine.run([program('penguindome-agent'), 'collectors', 'run', name])));
}

/** What is in force, as a login shell and sudo themselves have it. */
const inForce = {
  umask: (machine: Machine, user: string) => machine.run(['su', '-', user, '-c', 'umask']),
  sudo: (machine: Machine, user: string) => machine.run(['sudo', '-l', '-U', user]),
};

onMachine('accounts: a plain Debian is told as it is, and then all that is wrong with it', async (t) => {
  const machine = await bootMachine(t);
  const plain = await collected(machine, 'accounts', accounts);
  t.like(plain, {
    empty_passwords: [],
    uid0: [],
    privileged_groups: {},
    home_permissions: { readable: [], writable: [] },
    password_hashes: { kinds: {}, weak: [] },
    password_policy: { quality: { min_length: 6 }, lockout: { module: 'none' } },
    polkit: { installed: false },
    sudo: { installed: true, everything: [{ who: '%sudo', password: true }] },
  });
  t.is(plain.ssh_keys, undefined, 'nobody asked to look into home directories');

  const spoil = `
    set -e
    useradd --create-home --groups sudo,disk --key HOME_MODE=0755 alice
    passwd --delete alice
    useradd --create-home --key HOME_MODE=0700 bob
    usermod --password "$(openssl passwd -1 -salt salt secret)" bob
    useradd --create-home --key HOME_MODE=0700 carol
    echo carol:secret | chpasswd
    useradd --non-unique --uid 0 --no-create-home toor
    echo '#includedir /etc/sudoers.more' >/etc/sudoers.d/10-more
    mkdir /etc/sudoers.more
    echo 'bob ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.more/bob
    echo 'carol ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/90-carol.conf
    chmod 440 /etc/sudoers.d/* /etc/sudoers.more/*
    visudo --check --quiet
    runuser -u bob -- ssh-keygen -q -t ed25519 -N '' -f /home/bob/.ssh/id_ed25519
    runuser -u bob -- ssh-keygen -q -t ed25519 -N 'correct horse' -f /home/bob/.ssh/other
    runuser -u bob -- cp /home/bob/.ssh/id_ed25519.pub /home/bob/.ssh/authorized_keys
    sed -i '/pam_unix/i auth required pam_faillock.so preauth' /etc/pam.d/common-auth
    sed -i '/pam_deny/i auth [default=die] pam_faillock.so authfail' /etc/pam.d/common-auth
  `;
  await machine.run(['sh', '-c', spoil]);
  await machine.write(
    '/etc/penguindome/agent.yml',
    'collectors: {enabled: [accounts.ssh_keys, accounts.authorized_keys]}\n',
  );
  const spoilt = await collected(machine, 'accounts', accounts);
  t.like(spoilt, {
    authorized_keys: [{ user: 'bob', keys: 1 }],
    empty_passwords: ['alice'],
    home_permissions: { readable: ['alice'], writable: [] },
    password_hashes: { kinds: { md5: 1, yescrypt: 1 }, weak: ['bob'] },
    password_policy: { quality: { min_length: 6 }, lockout: { module: 'pam_faillock' } },
    privileged_groups: { disk: ['alice'], sudo: ['alice'] },
    ssh_keys: [{ user: 'bob', keys: 2, unprotected: 1 }],
    sudo: {
      everything: [
        { who: '%sudo', password: true },
        { who: 'bob', password: false },
      ],
    },
    uid0: ['toor'],
  });
  t.regex(await inForce.sudo(machine, 'bob'), /NOPASSWD: ALL/);
  t.regex(await inForce.sudo(machine, 'carol'), /not allowed/, 'sudo does not read a file with a dot in its name');
  const { mask, user_groups: shared, everywhere } = spoilt.umask;
  t.true(everywhere);
  const expected = shared ? mask.replace(/^(\d)\d/, '$10') : mask;
  t.is((await inForce.umask(machine, 'carol')).trim(), `0${expected}`);
});

onMachine('protection: the clock, the journal and the certificates of a Debian, as they change', async (t) => {
  const machine = await bootMachine(t);
  const says = () => collected(machine, 'protection', protection);
  t.is((await says()).time_sync, undefined, "a container's clock is that of the machine below it");
  // From here on it looks like a machine of its own.
  await machine.run(['rm', '/run/systemd/container']);
  t.like(await says(), {
    antivirus: [],
    audit_log: { auditd: 'absent', syslog: false },
    certificates: { expiring: [] },
    // systemd-nspawn does not show it: neither a yes nor a no.
    mac: 'unknown',
    time_sync: { service: 'none', synchronised: false },
  });

  // -x: the clock is that of the machine which runs the tests, and is left alone.
  const chronyd = async (unit: string, settings: string) => {
    await machine.write(`/etc/${unit}.conf`, settings);
    const service = ['systemd-run', '--quiet', `--unit=${unit}`, '--property=Type=forking'];
    await machine.run([...service, '/usr/sbin/chronyd', '-x', '-f', `/etc/${unit}.conf`]);
  };
  await chronyd('time-client', 'server 127.0.0.1 iburst\nport 0\n');
  t.deepEqual((await says()).time_sync, { service: 'chrony', synchronised: false }, 'it runs, and nobody answers it');
  await chronyd(
    'time-server',
    'local stratum 8\nallow 127.0.0.1\nbindcmdaddress /\ncmdport 0\npidfile /run/time-server.pid\n',
  );
  await machine.run(['chronyc', 'burst', '4/4']);
  await machine.until('chrony is synchronised', async () =>
    (await says()).time_sync?.synchronised ? true : undefined,
  );
  await machine.run(['systemctl', 'stop', 'time-client.service', 'time-server.service']);
  t.deepEqual((await says()).time_sync, { service: 'none', synchronised: false });

  const journal = async (storage: string) => {
    await machine.write('/etc/systemd/journald.conf.d/storage.conf', `[Journal]\nStorage=${storage}\n`);
    await machine.run(['systemctl', 'restart', 'systemd-journald.service']);
    await machine.attempt(['journalctl', '--flush']);
    // Where journald itself writes now.
    const open = await machine.run(['sh', '-c', 'ls -l /proc/$(pgrep -x systemd-journal)/fd']);
    return { told: (await says()).audit_log.journal, onDisk: open.includes('/var/log/journal/') };
  };
  t.deepEqual(await journal('persistent'), { told: 'persistent', onDisk: true });
  t.deepEqual(await journal('volatile'), { told: 'volatile', onDisk: false });

  const certificate = (days: number) =>
    `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout /dev/null -days ${days} -out /etc/ssl/x${days}.pem`;
  for (const days of [7, 100]) await machine.run(certificate(days).split(' '));
  // Certificates are looked at again after hours; what was kept of the last look is forgotten.
  await machine.run(['sh', '-c', 'rm -rf $(find /var -name certificates.json)']);
  t.deepEqual((await says()).certificates, { checked: 2, expiring: [{ path: '/etc/ssl/x7.pem', class: 'soon' }] });
});
