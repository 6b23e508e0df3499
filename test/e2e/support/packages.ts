import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { finish } from './finish.ts';

/** Packages as `npm run package` builds them, in repositories signed by a key of the test's own. */
export interface Packages {
  /** the repositories */
  folder: string;
  /** the built packages */
  built: string;
}

export type Kind = 'deb' | 'arch';

const built = new Map<Kind, Promise<Packages>>();

/** Once for all tests of a file. */
export async function buildPackages(t: ExecutionContext, kind: Kind): Promise<Packages> {
  t.timeout(600_000, 'building packages');
  const building = built.get(kind) ?? build(kind);
  built.set(kind, building);
  return building;
}

/** In the runner's folder, which goes with the run. */
async function build(kind: Kind): Promise<Packages> {
  const scratch = await mkdtemp(join(process.env['PENGUINDOME_TEST_SCRATCH'] ?? tmpdir(), 'packages-'));
  const packages = { folder: join(scratch, 'repositories'), built: join(scratch, 'built') };
  const key = await signingKey(scratch);
  await pack(kind, '--output', packages.built);
  await pack('repository', packages.folder, '--sign', key, '--output', packages.built);
  return packages;
}

/** `npm run package`, of a time of its own: a commit meanwhile would be another one. */
export function pack(...args: string[]): Promise<string> {
  return run('env', 'SOURCE_DATE_EPOCH=1700000000', 'node', 'packaging/package.mjs', ...args);
}

/** Builds once more, and compares each byte. */
export async function sameAgain(t: ExecutionContext, { built }: Packages, kind: Kind): Promise<void> {
  const read = async () => {
    const names = (await readdir(join(built, kind))).filter((name) => /\.(deb|zst)$/.test(name)).sort();
    return Promise.all(names.map(async (name) => ({ name, bytes: await readFile(join(built, kind, name)) })));
  };
  const first = await read();
  t.true(first.length > 1);
  await pack(kind, '--output', built);
  const second = await read();
  t.deepEqual(
    second.map(({ name, bytes }, index) => [name, bytes.equals(first[index]?.bytes ?? Buffer.alloc(0))]),
    first.map(({ name }) => [name, true]),
  );
}

/** @returns a file with the secret key */
export async function signingKey(scratch: string): Promise<string> {
  const file = join(scratch, 'secret-key.asc');
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
