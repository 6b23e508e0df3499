import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { HostAccess } from '../../../src/agent/collector.ts';
import { osUpdates } from '../../../src/agent/collectors/os-updates.ts';
import { packages } from '../../../src/agent/collectors/packages/index.ts';
import { updates } from '../../../src/agent/collectors/updates/index.ts';
import { fetchPackageLists } from '../../../src/agent/online/fetch-package-lists.ts';
import { whenPresent } from '../../support/needs.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { hostInFolder, memory, plant, thisHost } from './host-in-folder.ts';

const TOOLS = ['dnf', 'rpm', 'rpmbuild', 'createrepo_c', 'modifyrepo_c'];
const present = TOOLS.every((name) => existsSync(`/usr/bin/${name}`)) && process.getuid?.() === 0;
const real = whenPresent(present, 'dnf 4 with rpm and createrepo-c, as root');

/** What an advisory in the repository says that the update to 2-1 is. */
type Advice = 'security' | 'bugfix';

interface Machine {
  host: HostAccess;
  /** puts this version of x into the repository, with advice for it */
  publish(version: string, advice?: Advice): Promise<void>;
  /** dnf makecache */
  refresh(): Promise<void>;
  loseRepository(): Promise<void>;
  loseCache(): Promise<void>;
  /** of whoever asks outside */
  lists: string;
}

/** The real dnf on a system of its own that has x 1-1 installed, and a repository in a folder. */
async function machine(t: ExecutionContext): Promise<Machine> {
  const folder = await scratchFolder(t);
  const root = join(folder, 'root');
  const repository = join(folder, 'repository');
  const system = thisHost(t);
  await plant(folder, {
    // Debian's rpm keeps its database in the home directory.
    '/.rpmmacros': '%_dbpath /var/lib/rpm\n',
    '/root/etc/os-release': 'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=42\n',
    '/root/etc/dnf/dnf.conf': '[main]\ngpgcheck=1\nskip_if_unavailable=True\n',
    '/root/etc/yum.repos.d/t.repo': `[t]\nname=t\nbaseurl=file://${repository}\nenabled=1\ngpgcheck=0\n`,
  });
  await mkdir(repository);
  await mkdir(join(root, 'var/lib/rpm'), { recursive: true });
  const dnf = [
    `--installroot=${root}`,
    '--releasever=42',
    `--config=${root}/etc/dnf/dnf.conf`,
    `--setopt=reposdir=${root}/etc/yum.repos.d`,
    `--setopt=cachedir=${root}/var/cache/dnf`,
  ];
  const run: HostAccess['run'] = (path, args, more) => {
    const first = path.endsWith('/dnf') ? dnf : path.endsWith('/rpm') ? ['--root', root] : [];
    return system.run(path, [...first, ...args], { ...more, env: { HOME: folder } });
  };
  const done = async (path: string, args: string[]) => {
    const { code, stdout, stderr } = await run(path, args, { maxOutput: 16 * 1024 * 1024 });
    t.is(code, 0, `${path} ${args.join(' ')}: ${stdout}${stderr}`);
  };
  const build = async (version: string) => {
    const spec = join(folder, 'x.spec');
    await writeFile(
      spec,
      `Name: x\nVersion: ${version}\nRelease: 1\nSummary: x\nLicense: x\nBuildArch: noarch\n%description\nx\n%files\n`,
    );
    await done('/usr/bin/rpmbuild', [
      '-bb',
      '--define',
      `_topdir ${folder}/b`,
      '--define',
      `_rpmdir ${repository}`,
      spec,
    ]);
    return join(repository, 'noarch', `x-${version}-1.noarch.rpm`);
  };
  await done('/usr/bin/rpm', ['-i', '--nodeps', await build('1')]);
  return {
    host: withRealFolder(join(folder, 'lists'), { ...hostInFolder(t, root), find: system.find, run }, system),
    lists: join(folder, 'lists'),
    publish: async (version, advice) => {
      await build(version);
      await done('/usr/bin/createrepo_c', ['-q', repository]);
      if (advice === undefined) return;
      await writeFile(join(folder, 'updateinfo.xml'), updateInfo(version, advice));
      await done('/usr/bin/modifyrepo_c', [
        '--mdtype=updateinfo',
        join(folder, 'updateinfo.xml'),
        join(repository, 'repodata'),
      ]);
    },
    refresh: () => done('/usr/bin/dnf', ['-q', 'makecache']),
    loseRepository: () => rm(repository, { recursive: true }),
    loseCache: () => rm(join(root, 'var/cache/dnf'), { recursive: true }),
  };
}

/** What the agent itself writes lies where it says. */
function withRealFolder(folder: string, host: HostAccess, system: HostAccess): HostAccess {
  const of = (path: string) => (path.startsWith(folder) ? system : host);
  return {
    ...host,
    list: (path, options) => of(path).list(path, options),
    readText: (path, options) => of(path).readText(path, options),
    stat: (path) => of(path).stat(path),
  };
}

function updateInfo(version: string, advice: Advice): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<updates><update from="x@example.org" status="final" type="${advice}" version="1"><id>T-2026-1</id><title>x</title>
<issued date="2026-01-01 00:00:00"/><severity>Important</severity><description>x</description><pkglist><collection short="T"><name>T</name>
<package name="x" version="${version}" release="1" epoch="0" arch="noarch" src="x-${version}-1.src.rpm"><filename>x-${version}-1.noarch.rpm</filename></package>
</collection></pkglist></update></updates>
`;
}

const all = async ({ host }: Machine, tools = memory()) => {
  const os = await osUpdates.collect(host, tools);
  return {
    os_updates: os,
    updates: await updates.collect(host, tools),
    packages: await packages.collect(host, tools),
  };
};

real('before the first makecache nothing is known but what is installed', async (t) => {
  t.like(await all(await machine(t)), {
    os_updates: { current: false, patches: 'unknown', security_patches: 'unknown' },
    updates: { metadata_age: 'never', automatic_updates: { enabled: false } },
    packages: {
      inventory: { rpm: { x: '1-1' } },
      repositories: [{ name: 't', foreign: true, problems: ['unsigned'] }],
    },
  });
});

real('a machine that has everything is current, and without updates', async (t) => {
  const fedora = await machine(t);
  await fedora.publish('1', 'security');
  await fedora.refresh();
  t.like(await all(fedora), {
    os_updates: { current: true, patches: false, security_patches: false, installed_packages: ['x-1-1.noarch'] },
    updates: { metadata_age: 'under-2-days' },
  });
});

for (const [title, advice, security] of [
  ['an advisory calls a security update', 'security', true],
  ['an advisory calls a mended bug', 'bugfix', false],
  ['no advisory speaks of', undefined, 'unknown'],
] as const) {
  real(`an update that ${title}: for security is ${security}`, async (t) => {
    const fedora = await machine(t);
    await fedora.publish('2', advice);
    await fedora.refresh();
    t.like(await all(fedora), { os_updates: { patches: true, security_patches: security } });
  });
}

real(
  'what the cache shows counts where the repository is gone; without a cache nothing is known, whatever dnf says',
  async (t) => {
    const fedora = await machine(t);
    await fedora.publish('2', 'security');
    await fedora.refresh();
    await fedora.loseRepository();
    t.like(await all(fedora), { os_updates: { patches: true, security_patches: true } });
    await fedora.loseCache();
    const { code, stdout } = await fedora.host.run('/usr/bin/dnf', ['-q', 'check-update']);
    t.is(code, 0, 'the trap: dnf passes the repository over, and calls the machine up to date');
    t.is(stdout.trim(), '');
    t.like(await all(fedora), { os_updates: { patches: 'unknown', security_patches: 'unknown' } });
  },
);

/** What collectors have where such lists were fetched. */
const having = (value: unknown) => ({ ...memory(), left: async () => ({ at: new Date(), value }) });

real('lists of its own tell of an update that the machine has not heard of, whose cache stays as it is', async (t) => {
  const fedora = await machine(t);
  await fedora.publish('1', 'security');
  const none = await fetchPackageLists(fedora.host, fedora.lists);
  t.like(none, { family: 'dnf', patches: false, security_patches: false });
  t.like(await all(fedora, having(none)), {
    os_updates: { current: true, patches: false, security_patches: false, installed_packages: ['x-1-1.noarch'] },
    updates: { metadata_age: 'under-2-days' },
  });
  await fedora.publish('2', 'security');
  const one = await fetchPackageLists(fedora.host, fedora.lists);
  t.like(await all(fedora, having(one)), { os_updates: { current: true, patches: true, security_patches: true } });
  t.like(await all(fedora), {
    os_updates: { current: false, patches: 'unknown', security_patches: 'unknown' },
    updates: { metadata_age: 'never' },
  });
});

real('a repository that does not answer is told, not taken for one without updates', async (t) => {
  const fedora = await machine(t);
  await fedora.publish('2', 'security');
  await fedora.loseRepository();
  await t.throwsAsync(fetchPackageLists(fedora.host, fedora.lists), { message: /^cannot fetch lists: dnf says / });
});
