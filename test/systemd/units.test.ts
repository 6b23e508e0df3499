import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { whenPresent } from '../support/needs.ts';

const FOLDER = 'systemd';
const FILES = readdirSync(FOLDER).sort();
const SERVICES = FILES.filter((name) => name.endsWith('.service'));
const UNITS = FILES.filter((name) => /\.(service|timer|path|target)$/.test(name));
const textOf = (name: string) => readFileSync(join(FOLDER, name), 'utf8');

/** What systemd-analyze may say at most, in tenths. */
const MOST_EXPOSED: Record<string, number> = {
  'penguindome-apply.service': 15,
  'penguindome-audit.service': 20,
  'penguindome-backup.service': 20,
  'penguindome-certificates.service': 20,
  'penguindome-collect-online.service': 20,
  'penguindome-collect.service': 40,
  'penguindome-enroll.service': 25,
  'penguindome-rotate-key.service': 25,
  'penguindome-server.service': 20,
  'penguindome-submit.service': 20,
};

/** What a sandbox is made of here: set, or its absence explained. */
const SANDBOX = [
  'CapabilityBoundingSet',
  'DevicePolicy',
  'IPAddressDeny',
  'KeyringMode',
  'LockPersonality',
  'MemoryDenyWriteExecute',
  'NoNewPrivileges',
  'PrivateDevices',
  'PrivateMounts',
  'PrivateNetwork',
  'PrivateTmp',
  'PrivateUsers',
  'ProcSubset',
  'ProtectClock',
  'ProtectControlGroups',
  'ProtectHome',
  'ProtectHostname',
  'ProtectKernelLogs',
  'ProtectKernelModules',
  'ProtectKernelTunables',
  'ProtectProc',
  'ProtectSystem',
  'RemoveIPC',
  'RestrictAddressFamilies',
  'RestrictNamespaces',
  'RestrictRealtime',
  'RestrictSUIDSGID',
  'SocketBindDeny',
  'SystemCallArchitectures',
  'SystemCallErrorNumber',
  'SystemCallFilter',
  'UMask',
  'User',
];

const withAnalyze = whenPresent(
  spawnSync('systemd-analyze', ['--version']).status === 0,
  'units are measured with systemd-analyze',
);

for (const name of SERVICES) {
  withAnalyze(`${name} is no more exposed than it may be`, (t) => {
    const most = MOST_EXPOSED[name];
    t.not(most, undefined, 'each service has its limit here');
    const { status, stdout, stderr } = spawnSync(
      'systemd-analyze',
      ['security', '--offline=yes', `--threshold=${most}`, join(FOLDER, name)],
      { encoding: 'utf8' },
    );
    t.is(status, 0, `${stdout.trim().split('\n').at(-1)}${stderr}`);
  });

  test(`${name} sets or explains each key of a sandbox, in alphabetical order`, (t) => {
    const text = textOf(name);
    t.deepEqual(
      SANDBOX.filter((key) => !new RegExp(`\\b${key}=`).test(text)),
      [],
      'neither set nor explained',
    );
    const [, sandbox = ''] = text.split('\n# Sandbox');
    const keys = sandbox.split(/^\[/m)[0]?.match(/^[A-Za-z]+(?==)/gm) ?? [];
    t.true(keys.length > 5);
    t.deepEqual(keys, [...keys].sort());
  });
}

withAnalyze('systemd finds nothing to say about any unit', (t) => {
  for (const name of UNITS) {
    const { stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', join(FOLDER, name)], { encoding: 'utf8' });
    // The programs are not installed where this runs.
    const said = stderr.split('\n').filter((line) => line !== '' && !/penguindome\S* is not executable/.test(line));
    t.deepEqual(said, [], name);
  }
});

test('timers and paths start a service of their name, and nothing but a change starts a path', (t) => {
  for (const name of UNITS.filter((unit) => /\.(timer|path)$/.test(unit))) {
    t.true(SERVICES.includes(name.replace(/\.(timer|path)$/, '.service')), name);
    if (name.endsWith('.path')) t.deepEqual([...new Set(textOf(name).match(/^Path\w+(?==)/gm))], ['PathChanged'], name);
  }
});

test('timers spread over the machines, each at its own time, and are told how late they may be', (t) => {
  for (const name of UNITS.filter((unit) => unit.endsWith('.timer'))) {
    for (const key of ['AccuracySec=.', 'FixedRandomDelay=yes$', 'RandomizedDelaySec=.'])
      t.regex(textOf(name), new RegExp(`^${key}`, 'm'), name);
  }
});

test('nothing but the server stays in memory, and what came before a boot is applied soon after it', (t) => {
  for (const name of SERVICES.filter((unit) => unit !== 'penguindome-server.service')) {
    t.regex(textOf(name), /^Type=oneshot$/m, name);
    t.notRegex(textOf(name), /^(?:RemainAfterExit|Restart)=/m, name);
  }
  t.regex(textOf('penguindome-apply.timer'), /^OnBootSec=/m);
});

test('each user of the units is one that sysusers makes, with folders of its own', (t) => {
  const users = SERVICES.flatMap((name) => /^User=(.+)$/m.exec(textOf(name))?.[1] ?? []);
  const made = FILES.filter((name) => name.endsWith('.sysusers'))
    .map(textOf)
    .join('\n');
  const folders = FILES.filter((name) => name.endsWith('.tmpfiles'))
    .map(textOf)
    .join('\n');
  t.deepEqual([...new Set(users)].sort(), ['penguindome', 'penguindome-online', 'penguindome-server']);
  for (const user of users) {
    t.regex(made, new RegExp(`^u ${user} `, 'm'));
    t.regex(folders, new RegExp(`^d \\S+ 07[05]0 ${user} ${user} `, 'm'));
  }
});

test('the parts of the agent start and stop with its target', (t) => {
  const agents = UNITS.filter((name) => !/-(server|audit|backup|certificates|agent)\./.test(name));
  t.true(agents.length > 10);
  for (const name of agents) t.regex(textOf(name), /^PartOf=penguindome-agent\.target$/m, name);
  for (const name of agents.filter((unit) => !unit.endsWith('.service'))) {
    t.regex(textOf(name), /^WantedBy=penguindome-agent\.target$/m, name);
  }
});

test('the collector sees the real network, devices and homes, and can speak to nobody', (t) => {
  const text = textOf('penguindome-collect.service');
  t.notRegex(text, /^(PrivateNetwork|PrivateDevices|ProtectHome=yes)/m);
  t.regex(text, /^IPAddressDeny=any$/m);
});

test('whether a run is due is asked before Node is started', (t) => {
  for (const what of ['apply', 'collect', 'collect-online', 'submit']) {
    t.regex(
      textOf(`penguindome-${what}.service`),
      new RegExp(`^ExecCondition=\\S+/penguindome-tick --is-due ${what}$`, 'm'),
    );
  }
});

test('orders that were taken are gone on with, whether there is anything in the inbox or not', (t) => {
  const conditions = textOf('penguindome-apply.service').match(/^Condition.*$/gm);
  // What lies where is penguindome-tick's to ask (test/agent/tick.test.ts).
  t.deepEqual(conditions, ['ConditionPathExists=/etc/penguindome/trust.d/server.json']);
});
