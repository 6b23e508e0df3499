import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { finish } from './support/finish.ts';
import { onlySource, SHOWN, type } from './support/installing.ts';
import { bootMachine, type Machine } from './support/machine.ts';
import { onMachineWithPackages } from './support/needs.ts';
import { buildPackages, commandsOf, sameAgain } from './support/packages.ts';
import { insteadOf } from './support/real-units.ts';

const PAGE = 'docs/install.md';

onMachineWithPackages(
  'built again, the packages are the same, and lintian finds nothing but what is explained',
  async (t) => {
    const packages = await buildPackages(t, 'deb');
    await sameAgain(t, packages, 'deb');
    const [changes = ''] = (await readdir(join(packages.built, 'deb'))).filter((name) => name.endsWith('.changes'));
    const args = ['--allow-root', '--display-info', '--pedantic', '--fail-on', 'error,warning,info,pedantic'];
    const { status, stdout, stderr } = await finish('lintian', [...args, join(packages.built, 'deb', changes)]);
    t.is(status, 0, stdout + stderr);
  },
);

/** A machine on which the repository is to be had, and no other. */
async function machineBeforeInstalling(t: ExecutionContext): Promise<Machine> {
  const { folder } = await buildPackages(t, 'deb');
  const machine = await bootMachine(t, { binds: { [folder]: SHOWN }, filters: true });
  t.timeout(240_000, 'a machine that hangs');
  await onlySource(machine, folder);
  return machine;
}

const hostname = async (machine: Machine) => (await machine.run(['uname', '-n'])).trim();

async function submittedAt(machine: Machine, host: string): Promise<string | undefined> {
  const { status, stdout } = await machine.attempt(['penguindome', '--json', 'hosts', 'show', host]);
  return status === 0 ? /"submitted_at": "([^"]+)"/.exec(stdout)?.[1] : undefined;
}

async function openIssues(machine: Machine): Promise<string> {
  return machine.run(['penguindome', '--json', 'issues', 'list']);
}

const MODES = `root:root 755 /var/lib/penguindome
penguindome:penguindome 700 /var/lib/penguindome/acks
penguindome:penguindome 700 /var/lib/penguindome/inbox
penguindome-online:penguindome-online 750 /var/lib/penguindome/online
root:root 700 /var/lib/penguindome/orders
root:penguindome 750 /var/lib/penguindome/results
root:root 700 /var/lib/penguindome/site
root:root 700 /var/lib/penguindome/site/commands
root:root 700 /var/lib/penguindome/site/plugins
root:root 700 /var/lib/penguindome/site/settings
root:penguindome 750 /var/lib/penguindome/spool
root:penguindome 750 /var/lib/penguindome/spool/bodies
root:penguindome 750 /var/lib/penguindome/spool/reports
penguindome:penguindome 700 /var/lib/penguindome/submit
root:root 700 /var/lib/penguindome/trust
penguindome-server:penguindome-server 750 /var/lib/penguindome-server
penguindome-server:penguindome-server 700 /var/lib/penguindome-server/tls
root:root 600 /etc/penguindome/identity.key
root:root 644 /var/lib/penguindome/status.json`;

/** Folders and files whose owners and modes are a promise. */
const PROMISED = MODES.split('\n').map((line) => line.split(' ')[2] ?? '');

const SITE_CHECK = `name: it-is-debian
title: This machine runs Debian
severity: low
rationale: A check of the test's own.
profiles: [laptop, server]
query:
  plugins.os_info.distname: { $regex: Debian }
needs: [plugins.os_info]
remediation: None.
`;

const TIMERS = ['collect', 'collect-online', 'submit', 'enroll', 'audit', 'backup', 'certificates'];

onMachineWithPackages(
  'apt installs server and agent as the page says; a token is all it takes, and timers do the rest',
  async (t) => {
    const machine = await machineBeforeInstalling(t);
    t.is(
      (await type(machine, ...(await commandsOf(PAGE, 'The server on Debian 13')).slice(0, -1))).trim(),
      'active\n'.repeat(4).trim(),
    );
    await type(machine, ...(await commandsOf(PAGE, 'The server on Debian 13')).slice(-1));
    const timers = await type(machine, ...(await commandsOf(PAGE, 'A machine with Debian 13')));
    for (const name of TIMERS) t.regex(timers, new RegExp(`penguindome-${name}\\.timer`));
    const started = Date.now();

    const host = await hostname(machine);
    // `until` gives up after a minute, and the page promises two.
    const first = await machine.until('the first report', () => submittedAt(machine, host)).catch(() => undefined);
    if (first === undefined) await machine.until('the first report', () => submittedAt(machine, host));
    t.log(`first report after ${Math.round((Date.now() - started) / 1000)} s`);
    t.true(Date.now() - started < 120_000);
    t.not((await machine.attempt(['test', '-e', '/etc/penguindome/enrollment-token'])).status, 0, 'the token is gone');

    t.is((await machine.run(['stat', '-c', '%U:%G %a %n', ...PROMISED])).trim(), MODES);
    t.is((await machine.run(['systemctl', '--failed', '--plain', '--no-legend'])).trim(), '');
    t.is(
      (
        await machine.run(['sh', '-c', 'test -s /usr/lib/penguindome/bin/penguindome-agent.code-cache && echo made'])
      ).trim(),
      'made',
    );
    t.regex(await machine.run(['penguindome-agent', 'status']), /All is well/);
    t.regex(await machine.run(['runuser', '-u', 'nobody', '--', 'penguindome-agent', 'status']), new RegExp(host));

    t.notRegex(await openIssues(machine), /it-is-debian/);
    await machine.write('/etc/penguindome/checks.d/it-is-debian.yaml', SITE_CHECK);
    await machine.write(
      '/etc/systemd/system/penguindome-audit.timer.d/often.conf',
      '[Timer]\nAccuracySec=1s\nOnCalendar=\nOnCalendar=*:*:0/5\nRandomizedDelaySec=0\n',
    );
    await type(machine, 'systemctl daemon-reload', 'systemctl restart penguindome-audit.timer');
    await machine.until('the audit opens an issue', async () =>
      /it-is-debian/.test(await openIssues(machine)) ? true : undefined,
    );

    await worksInItsSandbox(t, machine);
    await reinstallsItself(t, machine, host);
    await doesNoMore(t, machine);
    await goesAway(t, machine);
  },
);

/** Every unit does its work in its sandbox, and the collector sees there what it sees without. */
async function worksInItsSandbox(t: ExecutionContext, machine: Machine): Promise<void> {
  for (const unit of ['audit', 'backup']) await machine.run(['systemctl', 'start', `penguindome-${unit}.service`]);
  t.regex(await machine.run(['ls', '/var/backups/penguindome']), /^\d{4}-\d\d-\d\dT\d{6}Z\.gz\nidentities\.log$/m);
  await renews(t, machine);
  const renewed = await type(machine, 'stat -c "%U:%G %a" /var/lib/penguindome-server/tls/port-8443-*.key');
  t.is(renewed.trim(), 'penguindome-server:penguindome-server 600');
  await finishesRotation(t, machine);
  const newest = async () =>
    JSON.parse(await machine.run(['cat', '/var/lib/penguindome/spool/collector.json'])).newest.list as Record<
      string,
      string
    >;
  const collect = async (...command: string[]) => {
    await machine.run(['rm', '-rf', '/var/lib/penguindome/due', '/var/lib/penguindome/kept']);
    await machine.run(command);
    return newest();
  };
  const inside = await collect('systemctl', 'start', 'penguindome-collect.service');
  const outside = await collect('penguindome-agent', 'collect');
  const names = [...new Set([...Object.keys(inside), ...Object.keys(outside)])].sort();
  t.true(names.length > 10);
  t.deepEqual(
    names.filter((name) => inside[name] !== outside[name]),
    [],
    'facts that the sandbox hides',
  );
}

/** As if certificates were about to end. */
async function renews(t: ExecutionContext, machine: Machine): Promise<void> {
  const ports = () => machine.run(['penguindome', '--json', 'ports', 'list']);
  const before = await ports();
  const dropIn = '/run/systemd/system/penguindome-certificates.service.d/soon.conf';
  await machine.write(dropIn, '[Service]\nExecStart=\nExecStart=/usr/bin/penguindome ports renew --within 3650d\n');
  await type(machine, 'systemctl daemon-reload', 'systemctl start penguindome-certificates.service');
  await type(machine, `rm ${dropIn}`, 'systemctl daemon-reload', 'systemctl is-active penguindome-server.service');
  t.not(await ports(), before, 'another certificate');
}

/** A rotation that was cut off, since the server was away, is finished by its unit. */
async function finishesRotation(t: ExecutionContext, machine: Machine): Promise<void> {
  const rotating = '/etc/penguindome/identity.key.rotating';
  const key = () => machine.run(['sha256sum', '/etc/penguindome/identity.key']);
  const before = await key();
  await machine.run(['systemctl', 'stop', 'penguindome-server.service']);
  t.not((await machine.attempt(['penguindome-agent', 'rotate-key'])).status, 0);
  t.is((await machine.attempt(['test', '-e', rotating])).status, 0);
  await machine.run(['systemctl', 'start', 'penguindome-server.service']);
  await machine.run(['systemctl', 'start', 'penguindome-rotate-key.service']);
  t.not((await machine.attempt(['test', '-e', rotating])).status, 0);
  t.not(await key(), before, 'another key');
}

/** An order replaces the agent that has it run, and is reported by the new one. */
async function reinstallsItself(t: ExecutionContext, machine: Machine, host: string): Promise<void> {
  const shell = `dpkg -i $(find ${SHOWN}/deb -name "penguindome-agent_*.deb") && echo reinstalled`;
  const made = await machine.run(['penguindome', '--json', 'command', shell, '--host', host]);
  const { order } = JSON.parse(made);
  // As if a minute was over.
  await machine.run(['sh', '-c', 'sleep 1; rm /var/lib/penguindome/submit/due; systemctl start penguindome-submit']);
  const became = await machine.until('the end of the order', async () => {
    const shown = await machine.run(['penguindome', '--json', 'orders', 'show', order]);
    return /"state": "(done|failed|refused)"/.test(shown) ? shown : undefined;
  });
  t.regex(became, /"state": "done"/);
  t.regex(became, /reinstalled/);
}

/** What each unit must not be able to do, whoever it is that runs in its place. */
async function doesNoMore(t: ExecutionContext, machine: Machine): Promise<void> {
  await machine.run([
    'systemctl',
    'stop',
    'penguindome-agent.target',
    'penguindome-audit.timer',
    'penguindome-audit.service',
  ]);
  const connect = 'exec 3<>/dev/tcp/127.0.0.1/8443';
  const listen = 'python3 -c "import socket; socket.create_server((str(), 4711))"';
  t.is(await insteadOf(machine, 'penguindome-submit.service', connect), '0', 'the submitter reaches the server');
  for (const offline of ['collect', 'certificates'])
    t.not(await insteadOf(machine, `penguindome-${offline}.service`, connect), '0', `${offline} reaches nobody`);
  await machine.run(['systemctl', 'stop', 'penguindome-server.service']);
  const refused: [unit: string, command: string][] = [
    ['penguindome-submit.service', 'cat /etc/shadow'],
    ['penguindome-submit.service', 'cat /etc/penguindome/identity.key'],
    ['penguindome-submit.service', 'touch /var/lib/penguindome/spool/reports/x'],
    ['penguindome-collect.service', 'touch /etc/x'],
    ['penguindome-collect.service', 'touch /home/x'],
    ['penguindome-collect.service', 'touch /var/lib/penguindome-server/x'],
    ['penguindome-server.service', 'touch /etc/penguindome/x'],
    ['penguindome-server.service', 'cat /etc/penguindome/pki/ca.key'],
    ['penguindome-audit.service', 'touch /etc/x'],
    ['penguindome-audit.service', 'cat /etc/penguindome/pki/ca.key'],
    ['penguindome-audit.service', listen],
    ['penguindome-backup.service', 'touch /etc/x'],
    ['penguindome-backup.service', 'cat /etc/penguindome/pki/ca.key'],
    ['penguindome-certificates.service', 'touch /etc/x'],
    ['penguindome-certificates.service', 'touch /var/lib/penguindome/x'],
    ['penguindome-enroll.service', 'touch /etc/x'],
    ['penguindome-enroll.service', 'touch /var/lib/penguindome-server/x'],
    ['penguindome-enroll.service', listen],
    ['penguindome-rotate-key.service', 'touch /etc/x'],
    ['penguindome-rotate-key.service', 'touch /home/x'],
    ['penguindome-rotate-key.service', listen],
    ['penguindome-submit.service', listen],
  ];
  for (const [unit, command] of refused) t.not(await insteadOf(machine, unit, command), '0', `${unit}: ${command}`);
  const allowed: [unit: string, command: string][] = [
    ['penguindome-submit.service', 'cat /var/lib/penguindome/spool/collector.json'],
    ['penguindome-submit.service', 'touch /var/lib/penguindome/submit/x'],
    ['penguindome-collect.service', 'cat /etc/shadow'],
    ['penguindome-server.service', 'touch /var/lib/penguindome-server/x'],
    ['penguindome-server.service', listen],
    ['penguindome-audit.service', 'cat /etc/penguindome/server.yml'],
    ['penguindome-backup.service', 'touch /var/backups/penguindome/x'],
    ['penguindome-certificates.service', 'cat /etc/penguindome/pki/ca.key'],
    ['penguindome-enroll.service', 'touch /etc/penguindome/x && rm /etc/penguindome/x'],
    ['penguindome-rotate-key.service', 'cat /etc/penguindome/identity.key'],
  ];
  for (const [unit, command] of allowed) t.is(await insteadOf(machine, unit, command), '0', `${unit}: ${command}`);
}

/** A removal leaves what reinstalling goes on with; a purge leaves nothing but what it says. */
async function goesAway(t: ExecutionContext, machine: Machine): Promise<void> {
  await type(machine, 'apt-get remove -y penguindome-agent');
  t.is((await machine.attempt(['test', '-e', '/etc/penguindome/identity.key'])).status, 0);
  t.not((await machine.attempt(['test', '-e', '/usr/lib/penguindome/bin'])).status, 0);
  await type(machine, 'apt-get install -y penguindome-agent');
  t.is((await machine.run(['systemctl', 'is-active', 'penguindome-collect.timer'])).trim(), 'active');
  const said = await type(machine, 'apt-get purge -y penguindome-agent penguindome-server');
  t.regex(said, /\/etc\/penguindome\/pki stays/);
  const left = await machine
    .run(['find', '/etc/penguindome', '/var/lib/penguindome', '-maxdepth', '1'], {})
    .catch((error) => String(error));
  t.notRegex(left, /identity\.key|agent\.yml|trust\.d|spool/);
}
