import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { HostAccess } from '../../../src/agent/collector.ts';
import { osUpdates } from '../../../src/agent/collectors/os-updates.ts';
import { packages } from '../../../src/agent/collectors/packages/index.ts';
import { updates } from '../../../src/agent/collectors/updates/index.ts';
import { fetchPackageLists } from '../../../src/agent/online/fetch-package-lists.ts';
import { compileAdvisories } from '../../../src/audit/advisories.ts';
import { valueAt } from '../../../src/core/value.ts';
import { whenPresent } from '../../support/needs.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { webService } from '../support/web-service.ts';
import { hostInFolder, memory, plant, thisHost } from './host-in-folder.ts';

const TOOLS = ['pacman', 'pacman-conf', 'repo-add', 'bsdtar', 'curl'];
const present = TOOLS.every((name) => existsSync(`/usr/bin/${name}`)) && process.getuid?.() === 0;
const real = whenPresent(
  present,
  'pacman with repo-add, bsdtar and curl (pacman-package-manager, makepkg, libarchive-tools, curl), as root',
);

interface Machine {
  host: HostAccess;
  /** puts these versions of x into the repository */
  publish(...versions: string[]): Promise<void>;
  /** pacman -Sy, and with `upgrade` -Syu */
  refresh(upgrade?: 'upgrade'): Promise<void>;
  root: string;
  /** of whoever asks outside */
  lists: string;
}

/** The real pacman on a system of its own, that has x 1-1 installed, and a repository in a folder. */
async function machine(t: ExecutionContext, options = '', repository = 'SigLevel = Never'): Promise<Machine> {
  const folder = await scratchFolder(t);
  const root = join(folder, 'root');
  const system = thisHost(t);
  const conf = join(root, 'etc/pacman.conf');
  let publishedAt = Math.floor(Date.now() / 1000) - 3600;
  await plant(folder, {
    '/root/etc/os-release': 'NAME="Arch Linux"\nID=arch\nBUILD_ID=rolling\n',
    '/root/etc/pacman.conf': '[options]\nArchitecture = auto\nSigLevel = Never\n',
  });
  for (const each of ['root/var/lib/pacman', 'repository', 'built'])
    await mkdir(join(folder, each), { recursive: true });
  const database = [
    '--root',
    root,
    '--config',
    conf,
    '--dbpath',
    join(root, 'var/lib/pacman'),
    '--logfile',
    '/dev/null',
  ];
  // else packages of another run would lie in the host's, under the same names
  const places = [...database, '--cachedir', join(root, 'var/cache/pacman/pkg')];
  const run: HostAccess['run'] = (path, args, more) => {
    if (path.endsWith('/pacman')) return system.run(path, [...places, ...args], more);
    return system.run(path, path.endsWith('/pacman-conf') ? ['--config', conf, ...args] : args, more);
  };
  const done = async (path: string, args: string[]) => {
    const { code, stdout, stderr } = await run(path, args);
    t.is(code, 0, `${path} ${args.join(' ')}: ${stdout}${stderr}`);
  };
  const build = async (version: string) => {
    const at = join(folder, 'built', version);
    const lines = {
      pkgname: 'x',
      pkgbase: 'x',
      pkgver: version,
      pkgdesc: 'x',
      url: 'x',
      builddate: 1,
      packager: 'x',
      size: 1,
      arch: 'any',
    };
    await mkdir(at, { recursive: true });
    await writeFile(
      join(at, '.PKGINFO'),
      Object.entries(lines)
        .map(([key, value]) => `${key} = ${value}\n`)
        .join(''),
    );
    const file = join(folder, 'repository', `x-${version}-any.pkg.tar.gz`);
    await done('/usr/bin/bsdtar', ['-czf', file, '-C', at, '.PKGINFO']);
    return file;
  };
  await done('/usr/bin/pacman', ['--noconfirm', '--noprogressbar', '-U', await build('1-1')]);
  const mirror = `Server = file://${folder}/repository`;
  await writeFile(
    conf,
    `[options]\nArchitecture = auto\nDBPath = ${root}/var/lib/pacman/\n${options}\n[t]\n${repository}\n${mirror}\n`,
  );
  return {
    root,
    lists: join(folder, 'lists'),
    host: { ...hostInFolder(t, root), find: system.find, run },
    publish: async (...versions) => {
      const database = join(folder, 'repository/t.db.tar.gz');
      await rm(database, { force: true });
      for (const version of versions) await done('/usr/bin/repo-add', ['-q', database, await build(version)]);
      // Whoever fetches lists compares seconds.
      publishedAt += 10;
      await utimes(database, publishedAt, publishedAt);
    },
    refresh: (upgrade) => done('/usr/bin/pacman', ['--noconfirm', upgrade === undefined ? '-Sy' : '-Syu']),
  };
}

const all = async ({ host }: Machine, tools = memory()) => {
  const [about, of, os] = await Promise.all([
    updates.collect(host, tools),
    packages.collect(host, tools),
    osUpdates.collect(host, tools),
  ]);
  return { updates: about, packages: of, os_updates: os };
};

real('before the first pacman -Sy nothing is known but what is installed', async (t) => {
  t.like(await all(await machine(t)), {
    os_updates: { current: false, patches: 'unknown', security_patches: 'unknown' },
    updates: { metadata_age: 'never', held_packages: [] },
    packages: { inventory: { pacman: { x: '1-1' } } },
  });
});

real('a machine that has everything is current, and without updates', async (t) => {
  const arch = await machine(t);
  await arch.publish('1-1');
  await arch.refresh();
  t.like(await all(arch), {
    os_updates: { current: true, patches: false, security_patches: false, installed_packages: ['x'] },
    updates: { metadata_age: 'under-2-days' },
  });
});

real('an update waits; whether it is for security pacman does not know', async (t) => {
  const arch = await machine(t);
  await arch.publish('1-2');
  await arch.refresh();
  t.like(await all(arch), { os_updates: { patches: true, security_patches: 'unknown' } });
});

real('an older version in the repository is no update', async (t) => {
  const arch = await machine(t);
  await arch.publish('1rc1-9');
  await arch.refresh();
  t.like(await all(arch), { os_updates: { patches: false, security_patches: false } });
});

real('the update of a package that is ignored waits all the same, and the package is held', async (t) => {
  const arch = await machine(t, 'IgnorePkg = x y\nIgnoreGroup = g');
  await arch.publish('2-1');
  await arch.refresh();
  t.like(await all(arch), {
    os_updates: { patches: true },
    updates: { held_packages: ['group g', 'x', 'y'] },
  });
});

for (const [title, options, repository, problems] of [
  ['that needs no signature', 'SigLevel = Required DatabaseOptional', 'SigLevel = Never', ['unsigned']],
  [
    'that takes one where there is one',
    'SigLevel = Required DatabaseOptional',
    'SigLevel = Optional',
    ['unsigned-allowed'],
  ],
  ['whose signature may be of any key', 'SigLevel = Required DatabaseOptional', 'SigLevel = TrustAll', ['any-key']],
  ['that is like all others', 'SigLevel = Required DatabaseOptional', '', []],
  ['of which nothing is said anywhere: pacman then takes packages without one', '', '', ['unsigned-allowed']],
] as const) {
  real(`a repository ${title}`, async (t) => {
    const { host } = await machine(t, options, repository);
    t.deepEqual(Object(await packages.collect(host, memory())).repositories, [
      { name: 't', file: '/etc/pacman.conf', foreign: true, problems: [...problems] },
    ]);
  });
}

real('what pacman.conf includes counts as what stands in it', async (t) => {
  const { host, root } = await machine(t);
  await plant(root, { '/more.conf': '[options]\nIgnorePkg = z\nSigLevel = Required\n' });
  await writeFile(join(root, 'etc/pacman.conf'), `Include = ${root}/more.conf\n[core]\nServer = file:///nowhere\n`);
  t.like(await updates.collect(host, memory()), { held_packages: ['z'] });
  t.deepEqual(Object(await packages.collect(host, memory())).repositories, [
    { name: 'core', file: '/etc/pacman.conf', foreign: false, problems: [] },
  ]);
});

real(
  'what the inventory says is what the server matches advisories against, before an update and after it',
  async (t) => {
    const advise = compileAdvisories({
      advisories: [{ name: 'AVG-1', packages: ['x'], severity: 'high', fixed: '1-2' }],
      digest: 'x',
    });
    const fixable = async ({ host }: Machine) =>
      valueAt(advise({ plugins: { packages: Object(await packages.collect(host, memory())) } }), 'advisories.fixable');
    const arch = await machine(t);
    await arch.publish('1-2');
    t.deepEqual(await fixable(arch), ['x 1-1, fixed in 1-2 (high, AVG-1)']);
    await arch.refresh('upgrade');
    t.deepEqual(await fixable(arch), []);
  },
);

/** What collectors have where such lists were fetched. */
const having = (value: unknown, at = new Date()) => ({ ...memory(), left: async () => ({ at, value }) });

real(
  'lists of its own tell of an update that the machine has not heard of, whose lists stay as they are',
  async (t) => {
    const arch = await machine(t);
    await arch.publish('1-1');
    const none = await fetchPackageLists(arch.host, arch.lists);
    t.like(none, { family: 'pacman', patches: false, security_patches: false });
    t.like(await all(arch, having(none)), {
      os_updates: { current: true, patches: false, security_patches: false, installed_packages: ['x'] },
      updates: { metadata_age: 'under-2-days' },
    });
    await arch.publish('1-2');
    const one = await fetchPackageLists(arch.host, arch.lists);
    t.like(await all(arch, having(one)), { os_updates: { current: true, patches: true, security_patches: 'unknown' } });
    t.like(await all(arch), {
      os_updates: { current: false, patches: 'unknown' },
      updates: { metadata_age: 'never' },
    });
    t.deepEqual(await readdir(join(arch.lists, 'pacman')), ['local', 'sync']);
    t.deepEqual(await readdir(join(arch.lists, 'pacman/sync')), ['t.db']);
  },
);

real(
  'what lists of its own told before an update says nothing after it, nor after newer ones of the machine',
  async (t) => {
    const arch = await machine(t);
    await arch.publish('1-2');
    const before = await fetchPackageLists(arch.host, arch.lists);
    t.like(await all(arch, having(before)), { os_updates: { patches: true } });
    await arch.refresh('upgrade');
    t.like(await all(arch, having(before)), { os_updates: { current: true, patches: false } });
    const after = await fetchPackageLists(arch.host, arch.lists);
    await arch.publish('1-3');
    await arch.refresh();
    t.like(await all(arch, having(after)), { os_updates: { patches: true } });
  },
);

real('lists that are of another family, another form or claim other facts count for nothing', async (t) => {
  const arch = await machine(t);
  await arch.publish('1-2');
  const real = Object(await fetchPackageLists(arch.host, arch.lists));
  for (const value of [
    { ...real, family: 'dnf' },
    { ...real, installed_packages: ['y'] },
    { ...real, patches: 'no' },
    { ...real, installed: '0'.repeat(64) },
    [],
    'unknown',
  ]) {
    t.like(await all(arch, having(value)), {
      os_updates: { current: false, patches: 'unknown', installed_packages: ['x'] },
    });
  }
  const old = new Date(Date.now() - 3 * 86_400_000);
  t.like(
    await all(arch, having(real, old)),
    { os_updates: { current: false } },
    'not newer than the answer it came with',
  );
});

real(
  'a repository that does not answer is told, with its name, and one whose name leads elsewhere is not fetched',
  async (t) => {
    const arch = await machine(t);
    await t.throwsAsync(fetchPackageLists(arch.host, arch.lists), {
      message: /^cannot fetch the list of t: curl: \(37\)/,
    });
    await writeFile(join(arch.root, 'etc/pacman.conf'), '[../../x]\nServer = file:///nowhere\n');
    await t.throwsAsync(fetchPackageLists(arch.host, arch.lists), { message: /that is no name of a file/ });
  },
);

real(
  'over HTTP a list that is as new as ours is not sent again, and the next server is asked where one does not answer',
  async (t) => {
    const arch = await machine(t);
    await arch.publish('1-2');
    const database = await readFile(join(arch.root, '../repository/t.db.tar.gz'));
    const service = await webService(t);
    const stamp = new Date(Date.now() - 3_600_000).toUTCString();
    const statuses: number[] = [];
    const since: (string | undefined)[] = [];
    service.answer = ({ url, ifModifiedSince }, response) => {
      const status = !url.startsWith('/good/') ? 404 : ifModifiedSince === stamp ? 304 : 200;
      statuses.push(status);
      since.push(ifModifiedSince);
      response.writeHead(status, { 'last-modified': stamp }).end(status === 200 ? database : undefined);
    };
    const servers = ['bad', 'good'].map((each) => `Server = ${service.origin}/${each}\n`).join('');
    await writeFile(
      join(arch.root, 'etc/pacman.conf'),
      `[options]\nDBPath = ${arch.root}/var/lib/pacman/\n[t]\nSigLevel = Never\n${servers}`,
    );
    for (const expected of [
      [404, 200],
      [404, 304],
    ]) {
      statuses.length = 0;
      t.like(await fetchPackageLists(arch.host, arch.lists), { patches: true });
      t.deepEqual(statuses, expected);
    }
    t.deepEqual(since, [undefined, undefined, stamp, stamp]);
  },
);
