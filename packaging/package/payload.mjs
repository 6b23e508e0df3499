// Everything that packages hold, in one folder (list.mjs says what of it goes where): built programs, native modules for this kind of machine,
// manual pages, bills of materials. The same sources make the same bytes.
import { chmod, copyFile, cp, mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildPrograms } from '../build.mjs';
import { root } from '../install.mjs';
import { writeManual } from '../man.mjs';
import { makeBootstrapParts } from './bootstrap.mjs';
import { copyrightFile } from './copyright.mjs';
import { emptyFolder } from './empty-folder.mjs';
import { bundledFolders, describeModules, nativeFolders } from './modules.mjs';
import { fetchRuntime } from './runtime.mjs';
import { billOfMaterials } from './sbom.mjs';

const NODES = { agent: '/usr/lib/penguindome/bin/node', server: '/usr/lib/penguindome/server/node' };
const PARTS = {
  agent: [
    'penguindome-agent',
    'penguindome-agent.bundle.js',
    'penguindome-agent.openpgp.js',
    'penguindome-plugin-tool',
    'penguindome-tick',
  ],
  server: ['penguindome', 'penguindome-server'],
};
const AS_THEY_ARE = ['checks.d', 'docs', 'systemd'];
const MADE = [
  'bootstrap',
  'built',
  'completions',
  'copyright',
  'examples',
  'man',
  'node_modules',
  'programs',
  'runtime',
  'sbom',
];
const OWN = [...AS_THEY_ARE, ...MADE];

/**
 * @param epoch seconds since 1970
 * @param runtime whether to fetch a Node for systems whose own is too old
 */
export async function makePayload(folder, { epoch, runtime }) {
  const made = new Date(epoch * 1000);
  const { version } = JSON.parse(await readFile(`${root}package.json`, 'utf8'));
  await emptyFolder(folder, (name) => OWN.includes(name));
  const built = join(folder, 'built');
  await buildPrograms(built, { codeCache: false });
  const inputs = JSON.parse(await readFile(join(built, 'inputs.json'), 'utf8'));
  for (const [part, names] of Object.entries(PARTS))
    await takePrograms(built, join(folder, 'programs', part), names, NODES[part]);
  await rm(built, { recursive: true });
  await copyFile(`${root}packaging/penguindome-node`, join(folder, 'programs/penguindome-node'));
  await writeManual(folder, made);
  for (const name of AS_THEY_ARE) await cp(`${root}${name}`, join(folder, name), { recursive: true });
  await cp(`${root}packaging/examples`, join(folder, 'examples'), { recursive: true });
  const native = await nativeFolders();
  for (const each of native) await takeModule(each, folder);
  const contents = {
    'penguindome-agent': await describeModules(bundledFolders(inputs['penguindome-agent'])),
    'penguindome-server': await describeModules(
      [...new Set([...bundledFolders([...inputs['penguindome'], ...inputs['penguindome-server']]), ...native])].sort(),
    ),
    ...(runtime ? { 'penguindome-runtime': [await fetchRuntime(join(folder, 'runtime'))] } : {}),
  };
  for (const [name, modules] of Object.entries(contents)) {
    const bill = billOfMaterials({ name, version, made: made.toISOString(), modules });
    await write(join(folder, `sbom/${name}.cdx.json`), `${JSON.stringify(bill, null, 1)}\n`);
    await write(join(folder, `copyright/${name}`), copyrightFile(modules));
  }
  await settle(folder, made);
  if (runtime) await chmod(join(folder, 'runtime/node'), 0o755);
  await makeBootstrapParts(folder, { version, epoch });
}

/** Their first line names the launcher that finds the Node to run them. */
async function takePrograms(from, to, names, node) {
  await mkdir(to, { recursive: true });
  for (const name of names) {
    const text = await readFile(join(from, name), 'latin1');
    await writeFile(join(to, name), text.replace(/^#!\/usr\/bin\/env node\n/, `#!${node}\n`), 'latin1');
  }
}

/** What it takes to run: no sources in C, no types, no other machines' binaries; licenses are in the copyright file. */
async function takeModule(folder, payload) {
  const from = join(root, folder);
  const machine = `linux-${process.arch}`;
  for (const path of await filesBelow(from)) {
    if (path.startsWith('node_modules/')) continue;
    const [first, second] = path.split('/');
    if (
      first === 'prebuilds'
        ? second !== machine || /musl|\.bare$/.test(path)
        : !/(\.c?js|\.node|package\.json)$/.test(path)
    )
      continue;
    if (/^(deps|test|src|extensions|types)\/|^(bin|build-test|optional)\.js$/.test(path)) continue;
    await mkdir(dirname(join(payload, folder, path)), { recursive: true });
    await copyFile(join(from, path), join(payload, folder, path));
  }
}

async function filesBelow(folder) {
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  return all
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath ?? each.path, each.name).slice(folder.length + 1))
    .sort();
}

async function write(path, text) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** Times and modes are those of the release, not of whoever builds. */
async function settle(folder, made) {
  for (const path of await filesBelow(folder)) {
    await chmod(join(folder, path), 0o644);
    await utimes(join(folder, path), made, made);
  }
}
