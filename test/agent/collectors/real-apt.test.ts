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
import { type Gpg, gpgHome, hasGpg } from '../../support/gpg.ts';
import { whenPresent } from '../../support/needs.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { hostInFolder, plant, thisHost } from './host-in-folder.ts';

const real = whenPresent(existsSync('/usr/bin/apt-get'), 'apt');

/** Suite → version of the package x in it. */
type Suites = Readonly<Record<string, string>>;

interface Machine {
  host: HostAccess;
  update(): Promise<void>;
  spoilSignature(): Promise<void>;
  stopServer(): Promise<void>;
}

/** The real apt on a system of its own that has version 1 of one package, and a repository over HTTP. */
async function machine(
  t: ExecutionContext,
  suites: Suites,
  { want = 'install', key }: { want?: string; key?: Gpg } = {},
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
  for (const each of ['lib/apt/lists/partial', 'cache/apt/archives/partial'])
    await mkdir(`${root}/var/${each}`, { recursive: true });
  await publish(folder, suites, key);

  const system = thisHost(t);
  const run: HostAccess['run'] = (path, args, options) =>
    system.run(path, args, { ...options, env: { APT_CONFIG: join(folder, 'apt.conf') } });
  return {
    host: { ...hostInFolder(t, root), find: system.find, run },
    update: async () => void (await run('/usr/bin/apt-get', ['-qq', 'update'])),
    spoilSignature: async () => {
      const path = join(folder, 'repository/dists/stable/InRelease');
      await writeFile(path, (await readFile(path, 'utf8')).replace('Label: Debian', 'Label: Mallory'));
      // HTTP's dates are whole seconds: without this the server would say that nothing changed.
      await utimes(path, new Date(), new Date(Date.now() + 5000));
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
  t.like(await osUpdates.collect(host), { current: false, patches: 'unknown', security_patches: 'unknown' });
});

real('a machine that has everything is current and without updates', async (t) => {
  const { host, update } = await machine(t, UP_TO_DATE);
  await update();
  t.deepEqual(await osUpdates.collect(host), {
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
  t.like(await osUpdates.collect(host), { patches: true, security_patches: false });
});

real('a security update is both', async (t) => {
  const { host, update } = await machine(t, { stable: '1', 'stable-security': '2' });
  await update();
  t.like(await osUpdates.collect(host), { patches: true, security_patches: true });
});

real('a security update that a newer version hides is seen', async (t) => {
  const { host, update } = await machine(t, { stable: '3', 'stable-security': '2' });
  await update();
  t.like(await osUpdates.collect(host), { patches: true, security_patches: true });
});

real('a package that is held back misses its update all the same', async (t) => {
  const { host, update } = await machine(t, { stable: '1', 'stable-security': '2' }, { want: 'hold' });
  await update();
  t.like(await osUpdates.collect(host), { patches: true, security_patches: true });
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
