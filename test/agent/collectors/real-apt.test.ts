import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { HostAccess } from '../../../src/agent/collector.ts';
import { osUpdates } from '../../../src/agent/collectors/os-updates.ts';
import { packages } from '../../../src/agent/collectors/packages/index.ts';
import { updates } from '../../../src/agent/collectors/updates/index.ts';
import { type Gpg, gpgHome, hasGpg } from '../../support/gpg.ts';
import { whenPresent } from '../../support/needs.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { hostInFolder, memory, plant, saying, thisHost } from './host-in-folder.ts';

const real = whenPresent(existsSync('/usr/bin/apt-get'), 'apt');

/** Suite → version of the package x in it. */
type Suites = Readonly<Record<string, string>>;

interface Machine {
  host: HostAccess;
  update(): Promise<void>;
  spoilSignature(): Promise<void>;
  stopServer(): Promise<void>;
  /** what dpkg is to do with x from now on, as `apt-mark hold` tells it too */
  select(want: 'hold' | 'install'): void;
  plant(files: Record<string, string>): Promise<void>;
  /** what its server has from now on */
  offer(suites: Suites): Promise<void>;
}

/** The real apt on a system of its own that has version 1 of one package, and a repository over HTTP. */
async function machine(
  t: ExecutionContext,
  suites: Suites,
  { want = 'install', key, files = {} }: { want?: string; key?: Gpg; files?: Record<string, string> } = {},
): Promise<Machine> {
  const folder = await scratchFolder(t);
  const server = createServer(async ({ url, headers }, response) => {
    const path = join(folder, 'repository', url ?? '');
    const facts = await stat(path).catch(() => undefined);
    const since = Date.parse(headers['if-modified-since'] ?? '');
    if (facts === undefined || !facts.isFile()) response.writeHead(404).end();
    else if (since >= Math.floor(facts.mtimeMs / 1000) * 1000) response.writeHead(304).end();
    else response.writeHead(200, { 'last-modified': facts.mtime.toUTCString() }).end(await readFile(path));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  const root = join(folder, 'root');
  const trust = key === undefined ? 'trusted=yes' : `signed-by=${folder}/key.asc`;
  if (key !== undefined) await writeFile(`${folder}/key.asc`, await key(['--armor', '--export']));
  const sources = Object.keys(suites).map((suite) => `deb [${trust}] http://127.0.0.1:${port} ${suite} main`);
  await plant(folder, {
    '/apt.conf': `Dir "${root}";\nDir::State::status "${root}/var/lib/dpkg/status";\nAPT::Architecture "amd64";\nAPT::Sandbox::User "root";\nAcquire::http::Proxy "DIRECT";\nAcquire::Retries "0";\nAcquire::Check-Date "false";\n`,
    '/root/etc/apt/sources.list': `${sources.join('\n')}\n`,
    '/root/etc/os-release': 'ID=debian\nVERSION_CODENAME=stable\n',
    '/root/var/lib/dpkg/status': `Package: x\nStatus: ${want} ok installed\nVersion: 1\nArchitecture: all\nMaintainer: t\nDescription: x\n\n`,
  });
  for (const each of ['apt.conf.d', 'preferences.d', 'sources.list.d', 'trusted.gpg.d'])
    await mkdir(`${root}/etc/apt/${each}`);
  await plant(root, files);
  for (const each of ['lib/apt/lists/partial', 'cache/apt/archives/partial'])
    await mkdir(`${root}/var/${each}`, { recursive: true });
  await publish(folder, suites, key);

  const system = thisHost(t);
  const planted = hostInFolder(t, root);
  const run: HostAccess['run'] = (path, args, options) =>
    system.run(path, args, { ...options, env: { APT_CONFIG: join(folder, 'apt.conf') } });
  return {
    host: { ...planted, find: async (name) => (await planted.find(name)) ?? system.find(name), run },
    update: async () => void (await run('/usr/bin/apt-get', ['-qq', 'update'])),
    spoilSignature: async () => {
      const path = join(folder, 'repository/dists/stable/InRelease');
      await writeFile(path, (await readFile(path, 'utf8')).replace('Label: Debian', 'Label: Mallory'));
      // HTTP's dates are whole seconds: without this the server would say that nothing changed.
      await utimes(path, new Date(), new Date(Date.now() + 5000));
    },
    select: (want) => {
      const admin = `--admindir=${root}/var/lib/dpkg`;
      execFileSync('/usr/bin/dpkg', [admin, '--set-selections'], { input: `x ${want}\n` });
    },
    plant: (files) => plant(root, files),
    offer: async (other) => {
      await publish(folder, other, key);
      for (const suite of Object.keys(other)) {
        const home = join(folder, 'repository/dists', suite);
        // HTTP's dates are whole seconds.
        for (const file of ['Release', 'main/binary-amd64/Packages'])
          await utimes(join(home, file), new Date(), new Date(Date.now() + 5000));
      }
    },
    stopServer: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function publish(folder: string, suites: Suites, key: Gpg | undefined): Promise<void> {
  for (const [suite, version] of Object.entries(suites)) {
    const packages =
      version === ''
        ? ''
        : `Package: x\nVersion: ${version}\nArchitecture: all\nFilename: x.deb\nSize: 1\nSHA256: ${'0'.repeat(64)}\nDescription: x\n\n`;
    const digest = createHash('sha256').update(packages).digest('hex');
    const label = suite.endsWith('-security') ? 'Debian-Security' : 'Debian';
    const release = `Origin: Debian\nLabel: ${label}\nSuite: ${suite}\nCodename: ${suite}\nArchitectures: amd64 all\nComponents: main\nDate: ${new Date().toUTCString().replace('GMT', 'UTC')}\nSHA256:\n ${digest} ${packages.length} main/binary-amd64/Packages\n`;
    const home = join(folder, 'repository/dists', suite);
    await mkdir(join(home, 'main/binary-amd64'), { recursive: true });
    await writeFile(join(home, 'main/binary-amd64/Packages'), packages);
    await writeFile(join(home, 'Release'), release);
    if (key !== undefined) await writeFile(join(home, 'InRelease'), await key(['--clearsign'], release));
  }
}

const UP_TO_DATE = { stable: '1', 'stable-security': '' };

real('before the first apt-get update nothing is known', async (t) => {
  const { host } = await machine(t, { stable: '2' });
  t.like(await osUpdates.collect(host, memory()), { current: false, patches: 'unknown', security_patches: 'unknown' });
});

real('a machine that has everything is current and without updates', async (t) => {
  const { host, update } = await machine(t, UP_TO_DATE);
  await update();
  t.deepEqual(await osUpdates.collect(host, memory()), {
    release: false,
    current: true,
    patches: false,
    security_patches: false,
    installed_packages: ['x'],
  });
});

real('an ordinary update is an update, and none for security', async (t) => {
  const { host, update } = await machine(t, { stable: '2', 'stable-security': '' });
  await update();
  t.like(await osUpdates.collect(host, memory()), { patches: true, security_patches: false });
});

real('a security update is both', async (t) => {
  const { host, update } = await machine(t, { stable: '1', 'stable-security': '2' });
  await update();
  t.like(await osUpdates.collect(host, memory()), { patches: true, security_patches: true });
});

real('a security update that a newer version hides is seen', async (t) => {
  const { host, update } = await machine(t, { stable: '3', 'stable-security': '2' });
  await update();
  t.like(await osUpdates.collect(host, memory()), { patches: true, security_patches: true });
});

real('a package that is held back misses its update all the same', async (t) => {
  const { host, update } = await machine(t, { stable: '1', 'stable-security': '2' }, { want: 'hold' });
  await update();
  t.like(await osUpdates.collect(host, memory()), { patches: true, security_patches: true });
});

const signed = whenPresent(existsSync('/usr/bin/apt-get') && hasGpg, 'apt and gnupg');

signed('an update without news confirms the data; one that gets a bad signature, or no answer, does not', async (t) => {
  const key = await gpgHome(t);
  await key(['--quick-gen-key', 'test@example.com', 'ed25519', 'sign']);
  const { host, update, spoilSignature, stopServer } = await machine(t, { stable: '1' }, { key });
  const confirmed = async () => {
    const name = (await host.list('/var/lib/apt/lists'))?.find((each) => each.endsWith('_InRelease'));
    return (await host.stat(`/var/lib/apt/lists/${name}`))?.changed.getTime() ?? 0;
  };
  await update();
  const first = await confirmed();
  // ctime has the resolution of the kernel's tick.
  await sleep(50);
  await update();
  const second = await confirmed();
  t.true(second > first);
  await spoilSignature();
  await update();
  t.is(await confirmed(), second);
  await stopServer();
  await update();
  t.is(await confirmed(), second);
});

const updatesOf = async ({ host }: Machine) => Object(await updates.collect(host, memory()));
const packagesOf = async ({ host }: Machine) => Object(await packages.collect(host, memory()));

real('a held package is told, and how old the package data are', async (t) => {
  const debian = await machine(t, UP_TO_DATE);
  debian.select('hold');
  t.like(await updatesOf(debian), { held_packages: ['x'], metadata_age: 'never' });
  await debian.update();
  t.like(await updatesOf(debian), { held_packages: ['x'], metadata_age: 'under-2-days' });
  debian.select('install');
  t.deepEqual((await updatesOf(debian)).held_packages, []);
});

/** The files of unattended-upgrades 2.9 (Debian 12) for apt, its timers as systemd enables them, and its program. */
const UNATTENDED = {
  '/etc/apt/apt.conf.d/20auto-upgrades':
    'APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "1";\n',
  '/etc/apt/apt.conf.d/50unattended-upgrades': `// a comment\nUnattended-Upgrade::Origins-Pattern {\n  // "origin=Debian,codename=x";\n  "origin=Debian,codename=\${distro_codename},label=Debian";\n  "origin=Debian,codename=\${distro_codename}-security,label=Debian-Security";\n};\nUnattended-Upgrade::Package-Blacklist {\n};\n`,
  '/run/systemd/system/x.slice': '',
  '/usr/bin/unattended-upgrade': saying(''),
  ...Object.fromEntries(
    ['apt-daily.timer', 'apt-daily-upgrade.timer'].flatMap((name) => [
      [`/lib/systemd/system/${name}`, '[Timer]\n'],
      [`/etc/systemd/system/timers.target.wants/${name}`, `-> /lib/systemd/system/${name}`],
    ]),
  ),
};
const LATER = '/etc/apt/apt.conf.d/99local';
const SETTINGS: Record<string, [more: Record<string, string>, problems: string[]]> = {
  'as Debian sets them up': [{}, []],
  'with a later file that switches them off': [
    { [LATER]: 'APT::Periodic { Unattended-Upgrade "0"; };\n' },
    ['APT::Periodic::Unattended-Upgrade is off'],
  ],
  'with a later file that clears their origins': [
    { [LATER]: '#clear Unattended-Upgrade::Origins-Pattern;\n' },
    ['its origins hold no security archive'],
  ],
  'with a file that apt passes over': [{ [`${LATER}.bak`]: 'APT::Periodic::Enable "0";\n' }, []],
  'with names in other cases, and a number of days': [
    { [LATER]: 'apt::periodic::unattended-upgrade "7";\napt::periodic::enable "0";\n' },
    ['APT::Periodic::Enable is off'],
  ],
  "switched off by a word, which apt's daily job takes for no number": [
    { [LATER]: 'APT::Periodic::Enable "false";\n' },
    [],
  ],
};
for (const [title, [more, problems]] of Object.entries(SETTINGS)) {
  real(`automatic updates ${title}: ${problems.length === 0 ? 'on' : 'off'}`, async (t) => {
    const debian = await machine(t, UP_TO_DATE, { files: { ...UNATTENDED, ...more } });
    t.deepEqual((await updatesOf(debian)).automatic_updates, {
      by: 'unattended-upgrades',
      enabled: problems.length === 0,
      problems,
    });
  });
}

real(
  'a source that is trusted whatever it says is told as unsigned, with whose it is once apt has asked it',
  async (t) => {
    const debian = await machine(t, { stable: '1' });
    const [before] = (await packagesOf(debian)).repositories;
    t.like(before, { foreign: 'unknown', problems: ['unsigned'] });
    await debian.update();
    const [after, ...others] = (await packagesOf(debian)).repositories;
    t.deepEqual(others, []);
    t.like(after, { file: '/etc/apt/sources.list', foreign: false, problems: ['unsigned'] });
    t.regex(after.name, /^http:\/\/127\.0\.0\.1:\d+ stable$/);
  },
);

real('settings that let unsigned sources in count for all of them', async (t) => {
  const files = {
    '/etc/apt/apt.conf.d/99insecure': 'Acquire::AllowInsecureRepositories "yes";\n',
    '/etc/apt/sources.list.d/y.list': 'deb [signed-by=/k] http://127.0.0.1:1 y main\n',
  };
  const { repositories } = await packagesOf(await machine(t, { stable: '1' }, { files }));
  t.deepEqual(
    repositories.map(({ problems }: { problems: string[] }) => problems),
    [['unsigned'], ['unsigned-allowed']],
  );
});

signed('a source that is bound to its key has nothing wrong with it', async (t) => {
  const key = await gpgHome(t);
  await key(['--quick-gen-key', 'test@example.com', 'ed25519', 'sign']);
  const debian = await machine(t, { stable: '1' }, { key });
  await debian.update();
  t.like((await packagesOf(debian)).repositories, [{ foreign: false, problems: [] }]);
});

whenPresent(existsSync('/usr/bin/dpkg-query'), 'dpkg')("the inventory of this machine is dpkg's own", async (t) => {
  const host = thisHost(t);
  const query = ['-W', '-f', `\${db:Status-Status}\t\${Package}\t\${Version}\n`];
  const { stdout } = await host.run('/usr/bin/dpkg-query', query, { maxOutput: 8 * 1024 * 1024 });
  const rows = stdout.split('\n').map((line) => line.split('\t'));
  const expected = rows.filter(([state]) => state === 'installed').map(([, name, version]) => `${name} ${version}`);
  const { inventory } = Object(await packages.collect(host, memory()));
  const told = Object.entries<string | string[]>(inventory.deb).flatMap(([name, versions]) =>
    [versions].flat().map((version) => `${name} ${version}`),
  );
  t.deepEqual(told.sort(), [...new Set(expected)].sort());
});

real('apt is asked again when something has changed that its answer comes from, and only then', async (t) => {
  const { host, update, plant: change, offer } = await machine(t, { stable: '2', 'stable-security': '' });
  let asked = 0;
  const run: HostAccess['run'] = (path, args, options) => {
    if (args.includes('dist-upgrade')) asked++;
    return host.run(path, args, options);
  };
  const tools = memory();
  const look = async () => {
    asked = 0;
    const { patches } = Object(await osUpdates.collect({ ...host, run }, tools));
    return { patches, asked };
  };
  await update();
  t.deepEqual(await look(), { patches: true, asked: 1 });
  t.deepEqual(await look(), { patches: true, asked: 0 });
  await change({ '/etc/apt/preferences.d/stay': 'Package: x\nPin: version 1\nPin-Priority: 1001\n' });
  t.deepEqual(await look(), { patches: false, asked: 1 });
  t.deepEqual(await look(), { patches: false, asked: 0 });
  await change({ '/etc/apt/preferences.d/stay': 'Package: nothing\nPin: version 1\nPin-Priority: 1001\n' });
  t.deepEqual(await look(), { patches: true, asked: 1 });
  await offer(UP_TO_DATE);
  t.deepEqual(await look(), { patches: true, asked: 0 }, 'its lists are as they were');
  await update();
  t.deepEqual(await look(), { patches: false, asked: 1 });
  await change({ '/etc/apt/sources.list': '# none\n' });
  t.is((await look()).asked, 1);
});
