import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstat, mkdtemp, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import test from 'ava';
import * as z from 'zod';
import { whenPresent } from '../support/needs.ts';
import { scratchFolder } from '../support/scratch.ts';

const EPOCH = '1700000000';
const NAMES = ['penguindome-agent', 'penguindome-server'];

function node(...args: string[]): void {
  const { status, stdout, stderr } = spawnSync('node', args, {
    encoding: 'utf8',
    env: { ...process.env, SOURCE_DATE_EPOCH: EPOCH },
  });
  if (status !== 0) throw new Error(`node ${args.join(' ')}: ${stdout}${stderr}`);
}

interface Placed {
  payload: string;
  root: (name: string, family: string) => string;
}

let placing: Promise<Placed> | undefined;

/** The payload, and each package of it as debian/ and arch/ lay it out: once for all tests, in the runner's folder. */
function placed(): Promise<Placed> {
  placing ??= place();
  return placing;
}

async function place(): Promise<Placed> {
  const scratch = await mkdtemp(join(process.env['PENGUINDOME_TEST_SCRATCH'] ?? tmpdir(), 'list-'));
  const payload = join(scratch, 'payload');
  const root = (name: string, family: string) => join(scratch, family, name);
  node('packaging/package.mjs', 'payload', payload);
  for (const name of NAMES) {
    for (const family of ['debian', 'arch'])
      node('packaging/package/place.mjs', payload, name, root(name, family), family);
  }
  return { payload, root };
}

async function filesBelow(folder: string): Promise<string[]> {
  const all = await readdir(folder, { recursive: true });
  const kinds = await Promise.all(all.map(async (path) => ({ path, stats: await lstat(join(folder, path)) })));
  return kinds
    .filter(({ stats }) => !stats.isDirectory())
    .map(({ path }) => path)
    .sort();
}

async function digestOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const path of await filesBelow(folder)) {
    const { mode, mtimeMs } = await lstat(join(folder, path));
    hash.update(`${path} ${mode} ${mtimeMs}\0`).update(await readFile(join(folder, path)));
  }
  return hash.digest('hex');
}

const bill = z.object({
  bomFormat: z.literal('CycloneDX'),
  components: z.array(z.object({ name: z.string(), version: z.string(), purl: z.string() })),
});

test('packages hold every unit once, every program that a unit starts, and no file of each other', async (t) => {
  const { root } = await placed();
  const files = new Map<string, string>();
  for (const name of NAMES) {
    for (const path of await filesBelow(root(name, 'debian'))) {
      t.is(files.get(path), undefined, `${path} is in two packages`);
      files.set(path, name);
    }
  }
  const units = (await readdir('systemd')).filter((name) => /\.(service|timer|path|target)$/.test(name));
  t.deepEqual(
    units.filter((name) => !files.has(`usr/lib/systemd/system/${name}`)),
    [],
  );
  for (const unit of units) {
    const text = await readFile(join('systemd', unit), 'utf8');
    for (const [, program = ''] of text.matchAll(/^Exec\w+=-?(\S*penguindome\S*)/gm)) {
      t.true(files.has(program.slice(1)), `${unit} starts ${program}`);
    }
    for (const [, page = ''] of text.matchAll(/^Documentation=man:(\S+)$/gm)) {
      const file = page.replace(/\((\d)\)/, '.$1');
      t.true(
        [...files.keys()].some((path) => path.endsWith(`/${file}`)),
        `${unit} names ${page}`,
      );
    }
  }
  for (const path of files.keys())
    t.notRegex(path, /^etc\/|code-cache|\.(c|h|ts|map|bare)$|musl/, 'settings are in no package');
});

test('both families hold the same files, each in its own folders, and links lead to something', async (t) => {
  const { root } = await placed();
  for (const name of NAMES) {
    const [debian, arch] = await Promise.all(['debian', 'arch'].map((family) => filesBelow(root(name, family))));
    const common = (path: string) => path.replace(/vendor-completions|site-functions/, 'ZSH');
    t.deepEqual(debian?.map(common), arch?.map(common));
    for (const path of debian ?? []) {
      const at = join(root(name, 'debian'), path);
      if (!(await lstat(at)).isSymbolicLink()) continue;
      const target = posix.join(posix.dirname(path), await readlink(at));
      t.true(
        debian?.some((each) => each === target || each.startsWith(`${target}/`)),
        `${path} leads to ${target}`,
      );
    }
  }
});

test('the same sources make the same payload, and its bills of materials name what is in the bundles', async (t) => {
  const { payload } = await placed();
  const again = join(await scratchFolder(t), 'again');
  node('packaging/package.mjs', 'payload', again);
  t.is(await digestOf(again), await digestOf(payload));
  const namesIn = async (name: string) =>
    bill
      .parse(JSON.parse(await readFile(join(payload, `sbom/${name}.cdx.json`), 'utf8')))
      .components.map((each) => each.name);
  const server = await namesIn('penguindome-server');
  for (const name of ['koa', 'mongodb', 'zod', 'argon2', 'libsql', 'sodium-native', 'node-gyp-build'])
    t.true(server.includes(name), name);
  t.false(server.includes('esbuild'));
  const agent = await namesIn('penguindome-agent');
  t.true(agent.includes('valibot'));
  t.false(agent.includes('koa'));
  for (const name of NAMES) {
    const copyright = await readFile(join(payload, `copyright/${name}`), 'utf8');
    for (const module of await namesIn(name)) t.regex(copyright, new RegExp(`^Comment: ${module} \\d`, 'm'));
  }
});

test('a folder that holds anything else than a payload is not made one', async (t) => {
  const folder = await scratchFolder(t);
  await writeFile(join(folder, 'letter.txt'), 'dear');
  const { status, stderr } = spawnSync('node', ['packaging/package.mjs', 'payload', folder], { encoding: 'utf8' });
  t.is(status, 1);
  t.regex(stderr, /letter\.txt is in it, which is not ours to remove/);
  t.deepEqual(await readdir(folder), ['letter.txt']);
});

test('the programs of the payload run, native modules and all', async (t) => {
  const { payload } = await placed();
  for (const program of ['server/penguindome', 'server/penguindome-server', 'agent/penguindome-agent']) {
    const { stdout, stderr } = spawnSync('node', [join(payload, 'programs', program), '--version'], {
      encoding: 'utf8',
    });
    t.regex(stdout, /^\d+\.\d+\.\d+\n$/, stderr);
  }
  const dir = join(await scratchFolder(t), 'dome');
  const { status, stderr } = spawnSync(
    'node',
    [join(payload, 'programs/server/penguindome'), 'setup', '--yes', '--dir', dir],
    { encoding: 'utf8' },
  );
  t.is(status, 0, stderr);
});

test('all files that tell a version tell the same', async (t) => {
  const { version } = JSON.parse(await readFile('package.json', 'utf8'));
  t.regex(await readFile('debian/changelog', 'utf8'), new RegExp(`^penguindome \\(${version}-`));
  t.regex(await readFile('arch/PKGBUILD', 'utf8'), new RegExp(`^pkgver=${version}$`, 'm'));
  t.regex(await readFile('arch/.SRCINFO', 'utf8'), new RegExp(`^\\tpkgver = ${version}$`, 'm'));
});

const withMakepkg = whenPresent(spawnSync('makepkg', ['--version']).status === 0, '.SRCINFO is made by makepkg');

withMakepkg('.SRCINFO is what makepkg makes of PKGBUILD', async (t) => {
  const [command = '', ...args] = [
    ...(process.getuid?.() === 0 ? ['unshare', '--user', '--map-user=1000', '--map-group=1000', '--'] : []),
    ...['makepkg', '--config', 'makepkg.conf', '--printsrcinfo'],
  ];
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', cwd: 'arch' });
  t.is(stdout, await readFile('arch/.SRCINFO', 'utf8'), stderr);
});
