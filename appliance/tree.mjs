// The files of the system: mmdebstrap's, our package, and what is below files/.
import { chmod, chown, cp, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { output } from '../packaging/package/output.mjs';
import { bootstrap, quoted } from './bootstrap.mjs';
import { ACCOUNTS, BOOT_PACKAGES, EARLY, FOLDERS, MASKED, MODES, PACKAGES, UNITS } from './list.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const FILES = join(here, 'files');
const OWN = 'usr/lib/penguindome-appliance';

/** @returns `root`, the system's files, and `boot`, those of the packages that a boot loader is made of */
export async function makeTree(work, { add, deb, epoch, sources, version }) {
  const root = join(work, 'root');
  const boot = join(work, 'boot');
  await mkdir(boot);
  bootstrap(root, {
    packages: PACKAGES,
    install: [resolve(deb), ...add.map((each) => (each.endsWith('.deb') ? resolve(each) : each))],
    sources,
    epoch,
    boot,
    loaders: BOOT_PACKAGES,
    hooks: EARLY.map((path) => `--essential-hook=install -D -m 644 ${quoted(join(FILES, path))} "$1/${path}"`),
  });
  await installFiles(root, version);
  systemctl(root, 'enable', UNITS);
  systemctl(root, 'mask', MASKED);
  await clean(root);
  await setTimes(root, epoch);
  return { root, boot };
}

async function installFiles(root, version) {
  for (const folder of FOLDERS) await mkdir(join(root, folder), { recursive: true });
  for (const { id, home } of Object.values(ACCOUNTS)) await chown(join(root, home), id, id);
  for (const entry of await readdir(FILES, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const from = join(entry.parentPath, entry.name);
    const path = from.slice(FILES.length + 1);
    await mkdir(dirname(join(root, path)), { recursive: true });
    await rm(join(root, path), { force: true });
    await cp(from, join(root, path));
    await chmod(join(root, path), MODES[path] ?? 0o644);
  }
  await writeFile(join(root, OWN, 'version'), `${version}\n`);
  await build({
    entryPoints: [join(here, 'first-boot/main.ts')],
    outfile: join(root, OWN, 'first-boot.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    legalComments: 'none',
    logLevel: 'warning',
  });
  // It would let root's ssh in by ways that no firewall sees: from the hypervisor (AF_VSOCK), and by a socket in /run.
  await link(root, 'etc/systemd/system-generators/systemd-ssh-generator', '/dev/null');
  // What is shown before a login: what the first boot has made.
  await link(root, 'etc/issue', 'penguindome-appliance/issue');
  await link(root, 'var/lib/dbus/machine-id', '/etc/machine-id');
  await link(root, 'etc/resolv.conf', '../run/systemd/resolve/stub-resolv.conf');
}

async function link(root, path, to) {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await rm(join(root, path), { force: true });
  await symlink(to, join(root, path));
}

function systemctl(root, verb, units) {
  output('systemctl', ['--quiet', `--root=${root}`, verb, ...units]);
}

/** What is this machine's, or the time of building. The machine's id must be there, empty: systemd puts one over it. */
async function clean(root) {
  const names = await readdir(join(root, 'etc/ssh'));
  const hostKeys = names.filter((name) => name.startsWith('ssh_host_')).map((name) => `etc/ssh/${name}`);
  output('find', [join(root, 'var/log'), '-type', 'f', '-delete']);
  const lists = (await readdir(join(root, 'var/lib/apt/lists'))).map((name) => `var/lib/apt/lists/${name}`);
  const others = [
    'var/cache/ldconfig/aux-cache',
    'var/cache/debconf/templates.dat-old',
    'var/cache/debconf/config.dat-old',
  ];
  const states = [
    'var/lib/dpkg/status-old',
    'var/lib/systemd/random-seed',
    'var/cache/apt/pkgcache.bin',
    'var/cache/apt/srcpkgcache.bin',
    // Its owner is whom the builder's apt fetches as.
    'var/cache/apt/archives/partial',
  ];
  for (const path of [...hostKeys, ...lists, ...others, ...states]) {
    await rm(join(root, path), { recursive: true, force: true });
  }
  await writeFile(join(root, 'etc/machine-id'), '');
  await writeFile(join(root, 'etc/hostname'), 'penguindome\n');
  await writeFile(join(root, 'etc/hosts'), '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n');
}

/** Of files that are newer: those are made while building. */
async function setTimes(root, epoch) {
  output('find', [root, '-xdev', '-newermt', `@${epoch}`, '-exec', 'touch', '-h', '-d', `@${epoch}`, '{}', '+']);
}
