import { spawnSync } from 'node:child_process';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import test from 'ava';
import { CommanderError } from 'commander';
import { enrollmentToken } from '../../src/admin/enrollment-token.ts';
import { sitePackage } from '../../src/admin/site-package.ts';
import { days, hours } from '../../src/core/duration.ts';
import { loadAgentSettings } from '../../src/settings/agent-settings-file.ts';
import { decodeToken, encodeToken } from '../../src/wire/v2/token.ts';
import { whenPresent } from '../support/needs.ts';
import { type AdminSite, adminSite, NOW, refusal } from './admin-site.ts';

const lacks = (...tools: string[]) =>
  tools.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0);
const withDpkg = whenPresent(lacks('dpkg-deb', 'dpkg').length === 0, 'site packages for apt need dpkg');
const withBsdtar = whenPresent(lacks('bsdtar').length === 0, 'site packages for pacman need bsdtar');
const rootWithPacman = whenPresent(
  process.getuid?.() === 0 && lacks('pacman', 'bsdtar').length === 0,
  'a site package is installed by root, with pacman and bsdtar',
);

/** Standard output; where it fails, what it said is the error. */
function must(command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

const fileOf = (site: AdminSite, name: string) => join(site.folder, name);

/** What came of it, with --json. */
async function make(site: AdminSite, format: 'deb' | 'arch', ...args: string[]): Promise<Record<string, unknown>> {
  const file = args.includes('--output') ? [] : ['--output', fileOf(site, `site.${format}`)];
  return Object(await site.json(sitePackage, '--format', format, ...file, ...args));
}

async function storedTokens(site: AdminSite): Promise<number> {
  return (await site.store.tokens.list()).length;
}

/** What an installed package brought is what an agent makes use of. */
async function isOfUse(t: ExecutionContext, site: AdminSite, root: string): Promise<void> {
  const etc = join(root, 'etc/penguindome');
  const settings = await loadAgentSettings(join(etc, 'agent.yml'), join(etc, 'agent.d'));
  t.is(settings.url, 'https://dome.example:8443');
  const token = decodeToken(await readFile(join(etc, 'enrollment-token'), 'utf8'));
  t.is(token?.url, 'https://dome.example:8443');
  t.is(token?.ca, await readFile(fileOf(site, 'pki/ca.crt'), 'utf8'));
  t.is((await stat(join(etc, 'enrollment-token'))).mode & 0o7777, 0o600);
  t.is((await stat(join(etc, 'agent.d/50-site.yml'))).mode & 0o7777, 0o644);
}

withDpkg('dpkg-deb finds in it what a machine is to know, and settings that an upgrade leaves alone', async (t) => {
  const site = await adminSite(t);
  const file = fileOf(site, 'site.deb');
  t.like(await make(site, 'deb', '--pattern', 'lap-*', '--approve'), {
    package: 'penguindome-site',
    file,
    format: 'deb',
    version: '20261123.120000',
    url: 'https://dome.example:8443',
    token: { uses: 1, pattern: 'lap-*', approve: true, expires_at: new Date(NOW.getTime() + days(7)).toISOString() },
  });
  t.is((await stat(file)).mode & 0o777, 0o600);
  const field = (name: string) => must('dpkg-deb', '--field', file, name).trim();
  t.is(field('Package'), 'penguindome-site');
  t.is(field('Version'), '20261123.120000');
  t.is(field('Architecture'), 'all');
  t.is(field('Pre-Depends'), 'penguindome-agent');
  t.is(must('dpkg-deb', '--info', file, 'conffiles'), '/etc/penguindome/agent.d/50-site.yml\n');
  t.deepEqual(
    must('dpkg-deb', '--contents', file)
      .trim()
      .split('\n')
      .map((line) => line.replace(/\s+/g, ' ').replace(/ \d+ 2026-11-23 12:00 /, ' ')),
    [
      'drwxr-xr-x root/root ./',
      'drwxr-xr-x root/root ./etc/',
      'drwxr-xr-x root/root ./etc/penguindome/',
      'drwxr-xr-x root/root ./etc/penguindome/agent.d/',
      '-rw-r--r-- root/root ./etc/penguindome/agent.d/50-site.yml',
      '-rw------- root/root ./etc/penguindome/enrollment-token',
    ],
  );
  must('dpkg-deb', '--extract', file, fileOf(site, 'root'));
  await isOfUse(t, site, fileOf(site, 'root'));
});

withBsdtar('for pacman it says the same, and starts the agent where it is installed', async (t) => {
  const site = await adminSite(t);
  const file = fileOf(site, 'site.arch');
  await make(site, 'arch', '--pending');
  const info = must('bsdtar', '-xOf', file, '.PKGINFO');
  t.regex(info, /^pkgver = 20261123\.120000-1$/m);
  t.regex(info, /^depend = penguindome-agent$/m);
  t.regex(info, /^backup = etc\/penguindome\/agent\.d\/50-site\.yml$/m);
  const root = fileOf(site, 'root');
  await mkdir(root);
  must('bsdtar', '-xpf', file, '-C', root);
  await isOfUse(t, site, root);
  t.regex(
    await readFile(join(root, 'usr/share/libalpm/hooks/penguindome-site.hook'), 'utf8'),
    /^Operation = Install$[\s\S]*^Exec = \/usr\/bin\/systemctl enable --now penguindome-agent\.target$/m,
  );
});

rootWithPacman('pacman installs it, finds nothing altered, and keeps changed settings at an upgrade', async (t) => {
  const site = await adminSite(t);
  const root = fileOf(site, 'root');
  await mkdir(join(root, 'var/lib/pacman'), { recursive: true });
  const pacman = (...args: string[]) =>
    must(
      'pacman',
      ...['--root', root, '--dbpath', join(root, 'var/lib/pacman'), '--hookdir', fileOf(site, 'none')],
      ...['--logfile', '/dev/null', '--noconfirm', ...args],
    );
  const install = (file: string) => pacman('--assume-installed', 'penguindome-agent=99', '-U', file);
  const [first, second] = ['1.pkg.tar.gz', '2.pkg.tar.gz'].map((name) => fileOf(site, name)) as [string, string];
  await make(site, 'arch', '--output', first);
  t.regex(pacman('-Qip', first), /Name +: penguindome-site\nVersion +: 20261123\.120000-1\n/);
  install(first);
  await isOfUse(t, site, root);
  t.regex(pacman('-Qkk', 'penguindome-site'), /10 total files, 0 altered files/);
  await writeFile(join(root, 'etc/penguindome/agent.d/50-site.yml'), 'collect_interval: 5m\n');
  site.clock.set(new Date(NOW.getTime() + hours(1)));
  await make(site, 'arch', '--output', second);
  install(second);
  t.is(pacman('-Q').trim(), 'penguindome-site 20261123.130000-1');
  t.is(await readFile(join(root, 'etc/penguindome/agent.d/50-site.yml'), 'utf8'), 'collect_interval: 5m\n');
});

test('the token in it is stored, and a file for its owner alone; a token that is there can be used, always to the same bytes', async (t) => {
  const site = await adminSite(t);
  const token = fileOf(site, 'token');
  await site.run(enrollmentToken, '--out', token, '--pattern', 'lap-*');
  for (const format of ['deb', 'arch'] as const) {
    const [first, second] = [fileOf(site, `1.${format}`), fileOf(site, `2.${format}`)];
    const { sha256 } = await make(site, format, '--token-file', token, '--output', first);
    site.clock.set(new Date(NOW.getTime() + hours(1)));
    t.like(await make(site, format, '--token-file', token, '--output', second), { sha256 });
    t.deepEqual(await readFile(first), await readFile(second));
    t.like(await make(site, format, '--token-file', token, '--output', `${first}.9`, '--package-version', '9.1+site'), {
      version: '9.1+site',
    });
  }
  t.is(await storedTokens(site), 1);
});

test('what a site wants of its machines comes with it, and only what they can use', async (t) => {
  const site = await adminSite(t);
  const own = fileOf(site, 'own.yml');
  await writeFile(own, '# ours\ncollect_interval: 5m\nplugins:\n  local: true\n');
  await make(site, 'deb', '--settings', own);
  const bytes = await readFile(fileOf(site, 'site.deb'));
  t.true(bytes.length > 500);
  const before = await storedTokens(site);
  const other = (text: string) => writeFile(own, text);
  await other('hostname: lap-1\n');
  t.regex(await refusal(t, site.run(sitePackage, '--format', 'deb', '--settings', own)), /under one name/);
  await other('url: https://other.example\n');
  t.regex(await refusal(t, site.run(sitePackage, '--format', 'deb', '--settings', own)), /that of the token is/);
  await other('colect_interval: 5m\n');
  const error = await t.throwsAsync(site.run(sitePackage, '--format', 'deb', '--settings', own));
  t.regex(error?.message ?? '', /own\.yml:1: colect_interval/);
  await t.throwsAsync(site.run(sitePackage, '--format', 'deb', '--settings', `${own}.none`), {
    message: /there is none/,
  });
  t.is(await storedTokens(site), before, 'nothing was made');
});

withDpkg('settings of the site are what the agent reads', async (t) => {
  const site = await adminSite(t);
  await writeFile(fileOf(site, 'own.yml'), 'collect_interval: 5m\n');
  await make(site, 'deb', '--settings', fileOf(site, 'own.yml'));
  must('dpkg-deb', '--extract', fileOf(site, 'site.deb'), fileOf(site, 'root'));
  const etc = fileOf(site, 'root/etc/penguindome');
  t.is((await loadAgentSettings(join(etc, 'agent.yml'), join(etc, 'agent.d'))).collect_interval, 300_000);
});

const WARNINGS: [args: string[], said: RegExp[]][] = [
  [['--pattern', 'lap-*', '--approve'], []],
  [['--pending', '--expires', '24h'], []],
  [['--approve'], [/any machine at once/]],
  [['--approve', '--pattern', '*'], [/any machine at once/]],
  [['--pattern', 'lap-*', '--expires', '30d'], [/not short-lived/]],
  [
    ['--approve', '--expires', '8d'],
    [/not short-lived/, /any machine at once/],
  ],
];
for (const [args, said] of WARNINGS) {
  test(`it says that a package is no secret, and warns where that matters: ${args.join(' ')}`, async (t) => {
    const site = await adminSite(t);
    const { out, err } = await site.run(sitePackage, '--format', 'deb', '--output', fileOf(site, 'a.deb'), ...args);
    t.regex(out, /^\S+a\.deb: penguindome-site 20261123\.120000 for https:\/\/dome\.example:8443\n$/);
    const warnings = err.split('\n').filter((line) => line.startsWith('warning: '));
    t.is(warnings.length, said.length + 1, err);
    t.regex(warnings[0] ?? '', /a package is no secret/);
    for (const [index, each] of said.entries()) t.regex(warnings[index + 1] ?? '', each);
    const told = await make(site, 'deb', ...args);
    t.is((told['warnings'] as string[]).length, said.length + 1);
    t.false(JSON.stringify(told).includes('penguindome1:'), 'the token is in the package alone');
  });
}

test('a token that lets nobody in makes no package', async (t) => {
  const site = await adminSite(t);
  const token = fileOf(site, 'token');
  const using = () =>
    refusal(t, site.run(sitePackage, '--format', 'deb', '--token-file', token, '--output', fileOf(site, 'x.deb')));
  t.regex(await using(), /cannot read .*token/);
  await writeFile(token, 'penguindome1:abc\n');
  t.regex(await using(), /it is none, or not whole/);
  const other = await adminSite(t);
  await writeFile(token, (await other.run(enrollmentToken)).out);
  t.regex(await using(), /it names another server/);
  const good = decodeToken((await site.run(enrollmentToken)).out) ?? t.fail();
  await writeFile(token, encodeToken({ ...good, url: 'https://rogue.example:8443' }));
  t.regex(await using(), /it names another server/);
  await writeFile(token, encodeToken({ ...good, secret: 'x'.repeat(43) }));
  t.regex(await using(), /this server does not know it/);
  await site.store.tokens.revoke((await site.store.tokens.list())[0]?.id ?? '', NOW);
  await writeFile(token, (await site.run(enrollmentToken, '--expires', '1h')).out);
  site.clock.set(new Date(NOW.getTime() + hours(2)));
  t.regex(await using(), /it expired at 2026-11-23 13:00Z/);
  await writeFile(token, (await site.run(enrollmentToken)).out);
  const id =
    (await site.store.tokens.list()).find(
      ({ expires_at, revoked_at }) => expires_at > site.clock.now() && revoked_at === undefined,
    )?.id ?? '';
  await site.store.tokens.revoke(id, site.clock.now());
  t.regex(await using(), /it was revoked/);
  await t.throwsAsync(stat(fileOf(site, 'x.deb')), { code: 'ENOENT' });
});

test('no file is overwritten, and a package that cannot be written leaves no token behind', async (t) => {
  const site = await adminSite(t);
  const file = fileOf(site, 'there.deb');
  await writeFile(file, 'mine');
  t.regex(await refusal(t, site.run(sitePackage, '--format', 'deb', '--output', file)), /it is there already/);
  t.is(await readFile(file, 'utf8'), 'mine');
  const nowhere = fileOf(site, 'none/x.deb');
  t.regex(await refusal(t, site.run(sitePackage, '--format', 'deb', '--output', nowhere)), /^cannot write .*ENOENT/);
  t.is(await storedTokens(site), 0);
});

for (const args of [
  [],
  ['--format', 'rpm'],
  ['--format', 'deb', '--package-version', 'new'],
  ['--format', 'deb', '--package-version', '1 2'],
  ['--format', 'deb', '--token-file', 'x', '--uses', '3'],
  ['--format', 'deb', '--expires', 'soon'],
]) {
  test(`refused: site-package ${args.join(' ')}`, async (t) => {
    const site = await adminSite(t);
    const error = await t.throwsAsync(site.run(sitePackage, ...args));
    t.true(error instanceof CommanderError, error?.message);
    t.is(await storedTokens(site), 0);
  });
}
