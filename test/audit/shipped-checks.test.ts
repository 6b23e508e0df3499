import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import test from 'ava';
import { GROUPS } from '../../packaging/docs/collectors.ts';
import { makeJudge } from '../../src/audit/judge.ts';
import { loadChecks } from '../../src/audit/load-checks.ts';
import type { Profile } from '../../src/core/audit.ts';
import { days, hours } from '../../src/core/duration.ts';
import { BUILT_IN_ISSUES } from '../../src/core/issue.ts';
import type { Fields } from '../../src/core/value.ts';

const AT = new Date('2026-03-02T10:00:00Z');
const loaded = loadChecks(['checks.d']);
/** Those that the original had and that are tested here; the others are tested in shipped-checks/. */
const ORIGINAL = [
  'firewall-disabled',
  'os-security-patches-available',
  'os-update-available',
  'ssh-password-authentication',
  'ssh-root-password-authentication',
  'unencrypted-hard-drive',
];
/** About products that a site may not have. */
const OFF = [
  'antivirus-absent',
  'eraagent-absent',
  'eraagent-stopped',
  'eset-absent',
  'eset-out-of-date',
  'eset-stopped',
];

test('every shipped check can be read', async (t) => {
  const { checks, problems } = await loaded;
  t.deepEqual(problems, []);
  const names = checks.filter(({ rule }) => rule !== undefined).map(({ name }) => name);
  for (const name of ORIGINAL) t.true(names.includes(name), name);
  t.deepEqual(
    checks.filter(({ rule }) => rule === undefined).map(({ name }) => name),
    [...BUILT_IN_ISSUES].sort(),
  );
});

test('every shipped check says why it matters, how much, and what to do about it; all but those about certain products are on', async (t) => {
  for (const { name, file, remediation, enabled, rationale = '' } of (await loaded).checks) {
    t.is(basename(file), `${name}.yaml`);
    t.regex(await readFile(file, 'utf8'), /^severity: /m, name);
    t.truthy(remediation['default'], name);
    t.is(enabled, !OFF.includes(name), name);
    t.true(rationale.length > 40, `${name}: expected a rationale`);
  }
});

test('no remedy locks out who follows it from afar', async (t) => {
  const { checks } = await loaded;
  const remedies = (name: string) => Object.entries(checks.find((check) => check.name === name)?.remediation ?? {});
  for (const [key, text] of remedies('firewall-disabled').filter(([, each]) => each.includes('ufw enable'))) {
    t.true(text.indexOf('ufw allow ssh') < text.indexOf('ufw enable') && text.includes('ufw allow ssh'), key);
  }
  for (const [key, text] of remedies('ssh-root-password-authentication')) t.regex(text, /^Make sure first /, key);
  // pam_unix.so's `success=1` there counts the lines behind it: pam-auth-update does, by hand nobody does.
  for (const [key, text] of remedies('account-lockout-off').filter(([each]) => /debian|ubuntu/.test(each))) {
    t.regex(text, /preauth.*authfail|authfail.*preauth/, key);
    t.regex(text, /Account:\\n\\trequired pam_faillock\.so.*pam-auth-update --enable/, key);
  }
});

test('each profile has what its machines need, and leaves out what is not for them', async (t) => {
  const on = async (profile: Profile) =>
    new Set((await loadChecks(['checks.d'], profile)).checks.filter(({ enabled }) => enabled).map(({ name }) => name));
  const [laptop, server, minimal] = await Promise.all([on('laptop'), on('server'), on('minimal')]);
  for (const name of ['screenlock-disabled', 'unencrypted-hard-drive', 'wifi-open-network', 'lid-does-not-lock']) {
    t.deepEqual([laptop.has(name), server.has(name)], [true, false], name);
  }
  for (const name of ['auditd-missing', 'syn-cookies-off']) {
    t.deepEqual([laptop.has(name), server.has(name)], [false, true], name);
  }
  for (const name of minimal) t.true(laptop.has(name) || server.has(name), name);
  t.true(minimal.size > 15 && minimal.size < laptop.size / 2, `${minimal.size} of ${laptop.size}`);
});

test('tags of CIS Controls v8 name a safeguard that there is', async (t) => {
  for (const { name, tags } of (await loaded).checks) {
    for (const tag of tags.filter((each) => each.startsWith('cis'))) {
      const [, control = '', safeguard = ''] = /^cis-(\d+)\.(\d+)$/.exec(tag) ?? [];
      const count = CIS_SAFEGUARDS[Number(control) - 1] ?? 0;
      t.true(Number(safeguard) >= 1 && Number(safeguard) <= count, `${name}: ${tag}`);
    }
  }
});

/** How many safeguards each of the 18 controls has (CIS Controls v8, 2021). */
const CIS_SAFEGUARDS = [5, 7, 14, 12, 6, 8, 7, 12, 7, 7, 5, 8, 11, 9, 7, 14, 9, 5];

/** What is reported otherwise than as a group of facts: docs/collectors.md, and the plugins of the original; `*`: any key. */
const SHAPES: Record<string, readonly string[]> = {
  dmidecode: ['*.*'],
  eraagent: ['installed', 'running'],
  eset: ['installed', 'running', 'recent'],
  firewall: ['status', 'layers.*.status', 'layers.*.policies.*'],
  geolocation: ['location.*', 'accuracy'],
  guest_session: ['enabled', 'cached_at'],
  hd_encryption: ['mountpoint', 'device', 'type', 'encrypted'],
  ip_addresses: ['public_ipv4', 'public_ipv6'],
  network_devices: ['*.*.*'],
  os_info: ['distname', 'version'],
  os_updates: ['release', 'current', 'patches', 'security_patches', 'installed_packages'],
  prey: ['running'],
  screenlock: ['users.user', 'users.enabled', 'users.delay', 'cached_at'],
  sshd: ['status', 'config.*'],
};

/** What the server knows, or makes of what is reported (src/audit/advisories.ts). */
const OF_THE_SERVER = [
  'hostname',
  'suspended',
  'submitted_at',
  'collected_at',
  'advisories.fixable',
  'advisories.unfixed',
  'advisories.severities',
  'agent.newest',
  'agent.outdated',
  'agent.version',
];

test('every path of a shipped check leads to something that a collector reports', async (t) => {
  for (const { name, rule } of (await loaded).checks) {
    if (rule === undefined) continue;
    const queries = [rule.query, rule.unknown ?? {}, rule.appliesTo ?? {}];
    for (const path of new Set([...rule.needs, ...queries.flatMap(deepPaths)])) {
      if (path.startsWith('plugins.')) t.is(strayed(path.split('.').slice(1)), undefined, `${name}: ${path}`);
      else t.true(OF_THE_SERVER.includes(path.replace(/\.\d+$/, '')), `${name}: ${path}`);
    }
  }
});

test('a path that leads nowhere is told from one that leads somewhere', (t) => {
  const at = (path: string) => strayed(path.split('.'));
  t.deepEqual(['firewall.layers.ufw.status', 'boot.kernel_lockdown', 'boot.reasons.x', 'sshd'].map(at), [
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  t.is(at('nosuch.x'), 'nosuch is no collector');
  t.is(at('boot.nosuch'), 'boot.nosuch is no fact');
  t.is(at('boot.kernel_lockdown.nosuch'), 'the shape of boot.kernel_lockdown does not say nosuch');
  t.is(at('firewall.state'), 'the shape of firewall does not say state');
});

/** The paths of a query, those within $elemMatch too. */
function deepPaths(query: Record<string, unknown>): string[] {
  return Object.entries(query).flatMap(([key, value]) => {
    if (key.startsWith('$')) return (Array.isArray(value) ? value : []).filter(isGroup).flatMap(deepPaths);
    const members = isGroup(value) && isGroup(value['$elemMatch']) ? deepPaths(value['$elemMatch']) : [];
    return [key, ...members.map((member) => `${key}.${member}`)];
  });
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @returns where a path below `plugins` leaves what is documented; undefined where it does not */
function strayed([collector = '', ...steps]: readonly string[]): string | undefined {
  const facts = GROUPS[collector];
  const keys = steps.filter((step) => !/^\d+$/.test(step));
  if (facts === undefined) return strayedFromShape(collector, keys);
  const [name, ...below] = keys;
  if (name === undefined || name === 'reasons') return undefined;
  const doc = facts.find(({ fact }) => fact.name === name);
  if (doc === undefined) return `${collector}.${name} is no fact`;
  // a shape is written for people; that it holds the word is what can be told
  const words: readonly string[] = doc.shape.match(/[A-Za-z0-9_-]+/g) ?? [];
  const wild = /\b[A-Z]{2,}\b/.test(doc.shape);
  const unsaid = below.find((step) => !words.includes(step) && !wild);
  return unsaid === undefined ? undefined : `the shape of ${collector}.${name} does not say ${unsaid}`;
}

function strayedFromShape(collector: string, keys: readonly string[]): string | undefined {
  const shapes = SHAPES[collector];
  if (shapes === undefined) return `${collector} is no collector`;
  const fits = shapes.some((shape) => {
    const steps = shape.split('.');
    return keys.every((key, index) => steps[index] === '*' || steps[index] === key);
  });
  return fits ? undefined : `the shape of ${collector} does not say ${keys.join('.')}`;
}

test("the original's grace periods and alert frequencies are kept", async (t) => {
  const times = Object.fromEntries(
    (await loaded).checks.map((check) => [check.name, [check.gracePeriod, check.alertFrequency]]),
  );
  t.like(times, {
    'not-reporting': [hours(4), days(1)],
    'os-update-available': [days(90), hours(1)],
    'os-security-patches-available': [days(1), days(1)],
    'deprecated-port': [hours(1), hours(1)],
    'unencrypted-hard-drive': [0, hours(1)],
    'firewall-disabled': [0, hours(1)],
    'no-location': [days(1), hours(1)],
  });
});

type Row = [plugins: Fields, answer: 'pass' | 'fail' | 'unknown', fails: boolean];

/** `fails` is what the original's query says of the same document. */
function table(name: string, rows: Record<string, Row>) {
  for (const [title, [plugins, answer, fails]] of Object.entries(rows)) {
    test(`${name}: ${title}`, async (t) => {
      const { results } = makeJudge((await loaded).checks).judge({ hostname: 'laptop', plugins }, undefined, AT);
      t.like(results[name], { answer, fails });
    });
  }
}

const FAILED = { stdout: '', stderr: 'boom', returncode: 1 };

table('os-update-available', {
  'none is there': [{ os_updates: { release: false } }, 'pass', false],
  'one is there': [{ os_updates: { release: true } }, 'fail', true],
  'the host cannot tell': [{ os_updates: { release: 'unknown' } }, 'unknown', true],
  'no plugin': [{}, 'unknown', true],
});

table('os-security-patches-available', {
  'none is there': [{ os_updates: { security_patches: false } }, 'pass', false],
  'some are there': [{ os_updates: { security_patches: true } }, 'fail', true],
  'the host cannot tell': [{ os_updates: { security_patches: 'unknown' } }, 'unknown', true],
  'the plugin failed': [{ os_updates: FAILED }, 'unknown', true],
});

const disk = (...encrypted: Fields[string][]) => ({
  hd_encryption: encrypted.map((each, index) => ({
    mountpoint: `/${index}`,
    device: 'x',
    type: 'ext4',
    encrypted: each,
  })),
});
table('unencrypted-hard-drive', {
  'all are encrypted': [disk(true, true), 'pass', false],
  'one is not': [disk(true, false), 'fail', true],
  'one is not, and one cannot be told': [disk('unknown', false), 'fail', true],
  'one cannot be told': [disk(true, 'unknown'), 'unknown', true],
  'one says nothing': [
    { hd_encryption: [{ mountpoint: '/', encrypted: true }, { mountpoint: '/x' }] },
    'unknown',
    true,
  ],
  'no disk at all': [disk(), 'unknown', true],
  'no plugin': [{}, 'unknown', true],
  'the plugin says unknown': [{ hd_encryption: 'unknown' }, 'unknown', true],
  'the plugin failed': [{ hd_encryption: FAILED }, 'unknown', true],
});

table('firewall-disabled', {
  on: [{ firewall: { status: 'on' } }, 'pass', false],
  off: [{ firewall: { status: 'off' } }, 'fail', true],
  'cannot tell': [{ firewall: { status: 'unknown' } }, 'unknown', true],
  'no plugin': [{}, 'unknown', true],
});

const sshd = (status: string, config?: Fields) => ({ sshd: { status, ...(config === undefined ? {} : { config }) } });
table('ssh-password-authentication', {
  'a running server that asks for passwords': [sshd('running', { passwordauthentication: 'yes' }), 'fail', true],
  'a running server that does not': [sshd('running', { passwordauthentication: 'no' }), 'pass', false],
  'a stopped server that would': [sshd('stopped', { passwordauthentication: 'yes' }), 'pass', false],
  'no server': [sshd('missing'), 'pass', false],
  'a running server whose settings cannot be read': [sshd('running'), 'unknown', false],
  'a running server, settings unknown': [{ sshd: { status: 'running', config: 'unknown' } }, 'unknown', false],
  'the plugin failed': [{ sshd: FAILED }, 'unknown', false],
});

table('ssh-root-password-authentication', {
  'a running server that lets root in': [sshd('running', { permitrootlogin: 'yes' }), 'fail', true],
  'only with a key': [sshd('running', { permitrootlogin: 'without-password' }), 'pass', false],
  'a stopped server that would': [sshd('stopped', { permitrootlogin: 'yes' }), 'pass', false],
  'a running server whose settings cannot be read': [sshd('running', {}), 'unknown', false],
  'no plugin': [{}, 'unknown', false],
});
