// npm run appliance: the server as an image of a whole machine, and as a container image, made of Debian 13 and our package.
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { installPackages, root } from '../packaging/install.mjs';

const HELP = `npm run appliance -- [image | container]      both where none is named; as root, for files in an image have owners

  image       penguindome-appliance-VERSION.raw and .qcow2, and .system.zst, which upgrades an appliance that runs
  container   penguindome-container-VERSION, a folder in OCI's layout

Options:
  --output DIR    instead of build/appliance
  --deb FILE      the server's package, instead of one that is built now
  --add PACKAGE   also this package (name, or file), such as a mongod's; may be given more than once
  --sources FILE  lines of a sources.list, instead of Debian's own mirrors
  --only-raw      of image: neither .qcow2 nor .system.zst

The same packages give the same bytes: times are SOURCE_DATE_EPOCH, else that of the last commit, else of debian/changelog.`;

const KINDS = ['image', 'container'];

function readOptions() {
  return parseArgs({
    allowPositionals: true,
    options: {
      add: { type: 'string', multiple: true, default: [] },
      deb: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
      'only-raw': { type: 'boolean', default: false },
      output: { type: 'string', default: `${root}build/appliance` },
      sources: { type: 'string' },
    },
  });
}

async function main() {
  const { values, positionals } = readOptions();
  if (values.help) return console.log(HELP);
  const unknown = positionals.find((kind) => !KINDS.includes(kind));
  if (unknown !== undefined) throw new UsageError(`cannot build ${unknown}`);
  if (process.getuid() !== 0) throw new Error('cannot give files in an image their owners: run it as root');
  // Folders in an image are as those who build it have theirs, else.
  process.umask(0o022);
  await installPackages();
  const { epochOf } = await import('../packaging/package/epoch.mjs');
  const epoch = await epochOf();
  const options = {
    add: values.add,
    deb: values.deb ?? (await buildDeb(epoch)),
    epoch,
    onlyRaw: values['only-raw'],
    output: values.output,
    sources: values.sources === undefined ? SOURCES : await readFile(values.sources, 'utf8'),
    version: JSON.parse(await readFile(`${root}package.json`, 'utf8')).version,
  };
  for (const kind of KINDS) {
    if (positionals.length > 0 && !positionals.includes(kind)) continue;
    const { [kind]: make } = await import(`./${kind}.mjs`);
    for (const path of await make(options)) console.log(await describe(path));
  }
}

const SOURCES = `deb http://deb.debian.org/debian trixie main
deb http://deb.debian.org/debian trixie-updates main
deb http://deb.debian.org/debian-security trixie-security main
`;

async function buildDeb(epoch) {
  const { buildPackages } = await import('../packaging/package/build-packages.mjs');
  const files = await buildPackages('deb', { output: `${root}build/packages`, epoch, runtime: false });
  return files.find((file) => basename(file).startsWith('penguindome-server_') && file.endsWith('.deb'));
}

/** What it takes on a disk: much of a raw image is nothing. */
async function describe({ path, bytes }) {
  const { blocks, size } = await stat(path);
  const mebibytes = (count) => `${(count / 2 ** 20).toFixed(0)} MiB`;
  return `${path}  ${mebibytes(bytes ?? blocks * 512)}${bytes === undefined && size > blocks * 1024 ? ` (a disk of ${mebibytes(size)})` : ''}`;
}

class UsageError extends Error {}

main().catch((error) => {
  const usage = error instanceof UsageError || error.code?.startsWith?.('ERR_PARSE_ARGS');
  console.error(`appliance: ${error.message}${usage ? `\n\n${HELP}` : ''}`);
  process.exitCode = usage ? 2 : 1;
});
