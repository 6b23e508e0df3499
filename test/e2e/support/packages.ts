import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { finish } from './finish.ts';
import { inItsPlace, madeOnce } from './made-once.ts';

/** Packages as `npm run package` builds them, in repositories signed by a key of the run's own. Shared: nobody writes below. */
export interface Packages {
  /** the repositories */
  folder: string;
  /** the built packages */
  built: string;
  /** a file with the secret key of the repositories */
  key: string;
}

/** `deb-with-runtime` has penguindome-runtime too, and is packed for speed: xz takes as long for the runtime as all the rest. */
export type Kind = 'deb' | 'deb-with-runtime' | 'arch';

const BUILDS: Record<Kind, (built: string) => Promise<string>> = {
  deb: (built) => typed('deb', built),
  'deb-with-runtime': (built) => typed('deb --runtime', built, {}, ['DPKG_DEB_COMPRESSOR_LEVEL=0']),
  arch: (built) => typed('arch', built),
};

/** Once for all test files of a run. */
export async function buildPackages(t: ExecutionContext, kind: Kind): Promise<Packages> {
  t.timeout(600_000, 'building packages');
  const folder = await madeOnce(`packages-${kind}`, async (scratch) => {
    const { built, folder: repositories } = packagesIn(scratch);
    const key = await signingKey(scratch);
    await BUILDS[kind](built);
    await typed('repository', built, { '/srv/packages': repositories, [KEY]: key });
  });
  return packagesIn(folder);
}

function packagesIn(scratch: string): Packages {
  const [folder, built, key] = [join(scratch, 'repositories'), join(scratch, 'built'), join(scratch, KEY)];
  return { folder, built, key };
}

const KEY = 'secret-key.asc';

/** Of a time of its own: a commit meanwhile would be another one. */
const EPOCH = 'SOURCE_DATE_EPOCH=1700000000';

/** `npm run package` */
export function pack(...args: string[]): Promise<string> {
  return run('env', EPOCH, 'node', 'packaging/package.mjs', ...args);
}

const PAGE = 'docs/install.md';

/** The line of the page that builds this, into a folder of the test's, with other places for those that the page names. */
async function typed(what: string, output: string, places: Record<string, string> = {}, more: string[] = []) {
  const lines = await commandsOf(PAGE, 'From source');
  const line = lines.find((each) =>
    what === 'repository' ? each.includes(` -- ${what} `) : each.endsWith(` -- ${what}`),
  );
  if (line === undefined) throw new Error(`${PAGE} does not tell how to build ${what}`);
  const [command = '', ...words] = line.split(' ').map((word) => places[word] ?? word);
  return run('env', EPOCH, ...more, command, ...words, '--output', output);
}

/** Builds once more, in a folder of the same name, and compares each byte. */
export async function sameAgain(t: ExecutionContext, { built }: Packages, kind: 'deb' | 'arch'): Promise<void> {
  const read = async (built: string) => {
    const names = (await readdir(join(built, kind))).filter((name) => /\.(deb|zst)$/.test(name)).sort();
    return Promise.all(names.map(async (name) => ({ name, bytes: await readFile(join(built, kind, name)) })));
  };
  const first = await read(built);
  t.true(first.length > 1);
  const second = await inItsPlace(`packages-${kind}`, async (scratch) => {
    const again = packagesIn(scratch).built;
    await BUILDS[kind](again);
    return read(again);
  });
  t.deepEqual(
    second.map(({ name, bytes }, index) => [name, bytes.equals(first[index]?.bytes ?? Buffer.alloc(0))]),
    first.map(({ name }) => [name, true]),
  );
}

/** @returns a file with the secret key */
async function signingKey(scratch: string): Promise<string> {
  const file = join(scratch, KEY);
  const script = `
    export GNUPGHOME="$1/gnupg"
    mkdir -m 700 "$GNUPGHOME"
    gpg --batch --quiet --passphrase '' --quick-generate-key 'Packages <packages@example.org>' ed25519 sign
    gpg --batch --quiet --armor --export-secret-keys >"$2"
    gpgconf --kill all
  `;
  await run('sh', '-euc', script, 'sh', scratch, file);
  return file;
}

export async function run(command: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await finish(command, args);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: exit status ${status}\n${stdout}${stderr}`);
  return stdout;
}

/** What a page tells to type, in the blocks marked `sh` below this heading. */
export async function commandsOf(page: string, heading: string): Promise<string[]> {
  const text = await readFile(page, 'utf8');
  const section = text.split(/^## /m).find((each) => each.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`${page} has no heading ${heading}`);
  return [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, lines = '']) => lines.trimEnd().split('\n'));
}
