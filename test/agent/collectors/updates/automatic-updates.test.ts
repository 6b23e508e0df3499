import test from 'ava';
import { parseAptConfig } from '../../../../src/agent/collectors/parse-apt-config.ts';
import { coversSecurity } from '../../../../src/agent/collectors/updates/unattended-origins.ts';
import { saying } from '../host-in-folder.ts';
import { ARCH, DEBIAN, FEDORA, factOf, told, UBUNTU } from './machine.ts';

// unattended-upgrades 2.9 (Debian 12), as `apt-config dump` shows its files; apt 2.6
const PERIODIC = 'APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "1";\n';
const ORIGINS = [
  'Unattended-Upgrade "";',
  'Unattended-Upgrade::Origins-Pattern "";',
  `Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=\${distro_codename},label=Debian";`,
  `Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=\${distro_codename},label=Debian-Security";`,
  `Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=\${distro_codename}-security,label=Debian-Security";`,
  '',
].join('\n');

const timers = (...wanted: string[]) => ({
  '/run/systemd/system/x.slice': '',
  ...Object.fromEntries(
    ['apt-daily', 'apt-daily-upgrade'].map((name) => [`/lib/systemd/system/${name}.timer`, '[Timer]\n']),
  ),
  ...Object.fromEntries(
    wanted.map((name) => [
      `/etc/systemd/system/timers.target.wants/${name}.timer`,
      `-> /lib/systemd/system/${name}.timer`,
    ]),
  ),
});
const BOTH = timers('apt-daily', 'apt-daily-upgrade');
const unattended = (config: string) => ({
  ...DEBIAN,
  '/usr/bin/unattended-upgrade': saying(''),
  '/usr/bin/apt-config': saying(config),
});

test('unattended-upgrades that is set up as Debian does it, with its timers, installs them', async (t) => {
  t.like(await told(t, { ...unattended(PERIODIC + ORIGINS), ...BOTH }), {
    automatic_updates: { by: 'unattended-upgrades', enabled: true, problems: [] },
  });
});

const MASKED = { '/etc/systemd/system/apt-daily-upgrade.service': '-> /dev/null' };
const PROBLEMS: Record<string, [files: Record<string, string>, problem: string]> = {
  'its job is switched off': [
    { ...unattended(`${PERIODIC}${ORIGINS}APT::Periodic::Enable "0";\n`), ...BOTH },
    'APT::Periodic::Enable is off',
  ],
  'a later file sets it to 0': [
    { ...unattended(`${PERIODIC}${ORIGINS}APT::Periodic::Unattended-Upgrade "0";\n`), ...BOTH },
    'APT::Periodic::Unattended-Upgrade is off',
  ],
  'lists are never fetched': [
    { ...unattended(`APT::Periodic::Unattended-Upgrade "always";\n${ORIGINS}`), ...BOTH },
    'APT::Periodic::Update-Package-Lists is off',
  ],
  'one of its timers is disabled': [
    { ...unattended(PERIODIC + ORIGINS), ...timers('apt-daily') },
    'apt-daily-upgrade.timer is disabled',
  ],
  'the service that the timer starts is masked': [
    { ...unattended(PERIODIC + ORIGINS), ...BOTH, ...MASKED },
    'apt-daily-upgrade.service is masked',
  ],
  'security is not among its origins': [
    { ...unattended(`${PERIODIC}Unattended-Upgrade::Origins-Pattern:: "origin=Debian,label=Debian";\n`), ...BOTH },
    'its origins hold no security archive',
  ],
  'it has no origins': [{ ...unattended(PERIODIC), ...BOTH }, 'its origins hold no security archive'],
  'neither systemd nor cron is there': [unattended(PERIODIC + ORIGINS), 'neither systemd nor cron runs its job'],
};
for (const [title, [files, problem]] of Object.entries(PROBLEMS)) {
  test(`unattended-upgrades installs nothing where ${title}`, async (t) => {
    const { enabled, problems } = Object(await factOf(t, 'automatic_updates', files));
    t.deepEqual([enabled, problems], [false, [problem]]);
  });
}

test('a masked timer is told from one that is merely disabled, and from one that is not there', async (t) => {
  const mask = { '/etc/systemd/system/apt-daily.timer': '-> /dev/null' };
  t.like(await told(t, { ...unattended(PERIODIC + ORIGINS), ...timers('apt-daily-upgrade'), ...mask }), {
    automatic_updates: { problems: ['apt-daily.timer is masked'] },
  });
  t.like(await told(t, { ...unattended(PERIODIC + ORIGINS), '/run/systemd/system/x.slice': '' }), {
    automatic_updates: { problems: ['apt-daily-upgrade.timer is missing', 'apt-daily.timer is missing'] },
  });
});

test('without systemd cron runs the job', async (t) => {
  const cron = { '/etc/cron.daily/apt-compat': saying(''), '/usr/bin/cron': saying('') };
  t.like(await told(t, { ...unattended(PERIODIC + ORIGINS), ...cron }), { automatic_updates: { enabled: true } });
});

test('without unattended-upgrades nothing does it; settings that nobody reads do not change that', async (t) => {
  t.like(await told(t, { ...DEBIAN, '/usr/bin/apt-config': saying(PERIODIC + ORIGINS), ...BOTH }), {
    automatic_updates: { by: 'nothing', enabled: false, problems: ['unattended-upgrades is not installed'] },
  });
});

test('where apt-config does not answer it is unknown', async (t) => {
  t.like(await told(t, { ...unattended(''), '/usr/bin/apt-config': saying('', 100), ...BOTH }), {
    automatic_updates: 'unknown',
    reasons: { automatic_updates: 'apt-config does not answer' },
  });
});

test("Ubuntu's own settings let its security archive in; ESM alone does not stand for it", async (t) => {
  const allowed = (origin: string) => `Unattended-Upgrade::Allowed-Origins:: "${origin}";\n`;
  const on = (config: string) => told(t, { ...unattended(PERIODIC + config), ...UBUNTU, ...BOTH });
  t.like(await on(allowed(`\${distro_id}:\${distro_codename}-security`)), { automatic_updates: { enabled: true } });
  t.like(await on(allowed(`\${distro_id}ESM:\${distro_codename}-infra-security`)), {
    automatic_updates: { enabled: false },
  });
});

test("where unattended-upgrades does not, Linux Mint's Update Manager may: its preferences and its timer say whether", async (t) => {
  const mint = {
    ...DEBIAN,
    '/etc/os-release': 'ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"\nUBUNTU_CODENAME=noble\n',
  };
  const isTo = { '/var/lib/linuxmint/mintupdate-automatic-upgrades-enabled': '' };
  const NAME = 'mintupdate-automation-upgrade.timer';
  t.like(await told(t, { ...mint, ...isTo, ...unit(NAME, true) }), {
    automatic_updates: { by: 'mintupdate', enabled: true, problems: [] },
  });
  t.like(await told(t, { ...mint, ...unit(NAME, true) }), {
    automatic_updates: {
      by: 'nothing',
      enabled: false,
      problems: ["the Update Manager's automation is off", 'unattended-upgrades is not installed'],
    },
  });
  t.like(await told(t, { ...mint, ...isTo, ...unit(NAME, false) }), {
    automatic_updates: { enabled: false, problems: [`${NAME} is disabled`, 'unattended-upgrades is not installed'] },
  });
});

const PATTERNS: Record<string, boolean> = {
  'origin=Debian': true,
  'o=Debian,a=*-security': true,
  'o=Debian, l=Debian-Security': true,
  'origin=*': true,
  'site=mirror.example.org,label=Debian-Security': true,
  'origin=Debian,suite=stable-updates': false,
  'origin=Debian,codename=bookworm': false,
  'origin=Debian,archive=stable-security,component=contrib': false,
  'o=Google LLC,a=stable': false,
  'colour=red': false,
  '': false,
  'o=[': false,
};
for (const [pattern, expected] of Object.entries(PATTERNS)) {
  test(`the pattern "${pattern}" ${expected ? 'lets' : 'does not let'} Debian's security archive in`, (t) => {
    const config = parseAptConfig(`Unattended-Upgrade::Origins-Pattern:: "${pattern}";\n`);
    t.is(
      coversSecurity(
        config,
        new Map([
          ['ID', 'debian'],
          ['VERSION_CODENAME', 'bookworm'],
        ]),
      ),
      expected,
    );
  });
}

const unit = (name: string, enabled: boolean) => ({
  [`/usr/lib/systemd/system/${name}`]: '[Timer]\n',
  ...(enabled ? { [`/etc/systemd/system/timers.target.wants/${name}`]: `-> /usr/lib/systemd/system/${name}` } : {}),
});
const settings = (text: string) => ({ '/etc/dnf/automatic.conf': text });
const APPLY = settings('[commands]\nupgrade_type = security\napply_updates = yes\n');

const DNF: Record<string, [files: Record<string, string>, enabled: boolean, by: string]> = {
  'dnf5-automatic with apply_updates': [{ ...unit('dnf5-automatic.timer', true), ...APPLY }, true, 'dnf5-automatic'],
  'dnf-automatic with apply_updates': [{ ...unit('dnf-automatic.timer', true), ...APPLY }, true, 'dnf-automatic'],
  'dnf-automatic that only announces': [
    {
      ...unit('dnf-automatic.timer', true),
      ...settings('[commands]\napply_updates = no\n[emitters]\nemit_via=motd\n'),
    },
    false,
    'dnf-automatic',
  ],
  'dnf5-automatic as it comes': [unit('dnf5-automatic.timer', true), false, 'dnf5-automatic'],
  'a timer that is not enabled': [{ ...unit('dnf5-automatic.timer', false), ...APPLY }, false, 'dnf5-automatic'],
  'dnf-automatic-install.timer, whatever the settings': [
    { ...unit('dnf-automatic-install.timer', true), ...settings('[commands]\napply_updates = no\n') },
    true,
    'dnf-automatic',
  ],
  'dnf-automatic-notifyonly.timer': [{ ...unit('dnf-automatic-notifyonly.timer', true), ...APPLY }, false, 'nothing'],
  nothing: [{}, false, 'nothing'],
};
for (const [title, [files, enabled, by]] of Object.entries(DNF)) {
  test(`Fedora with ${title}: ${enabled ? 'installed' : 'not installed'} automatically`, async (t) => {
    t.like(await told(t, { ...FEDORA, ...files }), { automatic_updates: { by, enabled } });
  });
}

test("the package's own settings of dnf5-automatic go before the administrator's", async (t) => {
  const vendor = (value: string) => ({
    '/usr/share/dnf5/dnf5-plugins/automatic.conf': `[commands]\napply_updates = ${value}\n`,
  });
  const timer = unit('dnf5-automatic.timer', true);
  t.like(await told(t, { ...FEDORA, ...timer, ...vendor('yes') }), { automatic_updates: { enabled: true } });
  t.like(await told(t, { ...FEDORA, ...timer, ...vendor('no'), ...APPLY }), { automatic_updates: { enabled: true } });
});

test("where dnf5 first had the administrator's settings it still reads them, before those that it has now", async (t) => {
  const former = { '/etc/dnf/dnf5-plugins/automatic.conf': '[commands]\napply_updates = yes\n' };
  const files = { ...FEDORA, ...unit('dnf5-automatic.timer', true), ...former };
  t.like(await told(t, files), { automatic_updates: { enabled: true } });
  t.like(await told(t, { ...files, ...settings('[commands]\napply_updates = no\n') }), {
    automatic_updates: { enabled: false },
  });
});

test('a system that is updated as one image is asked for its own policy', async (t) => {
  const image = (policy: string) => ({
    ...FEDORA,
    '/run/ostree-booted': '',
    '/etc/rpm-ostreed.conf': `[Daemon]\nAutomaticUpdatePolicy=${policy}\n`,
    ...unit('rpm-ostreed-automatic.timer', true),
  });
  t.like(await told(t, image('stage')), { automatic_updates: { by: 'rpm-ostree', enabled: true } });
  t.like(await told(t, image('check')), {
    automatic_updates: { enabled: false, problems: ['AutomaticUpdatePolicy is check'] },
  });
});

test('Arch is updated by hand, by design, and says so in words', async (t) => {
  t.like(await told(t, ARCH), { automatic_updates: { by: 'nothing', enabled: 'not-applicable' } });
});
