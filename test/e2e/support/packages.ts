import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { scratchFolder } from '../../support/scratch.ts';
import { finish } from './finish.ts';

/** Packages as `npm run package` builds them, in repositories signed by a key of the test's own. */
export interface Packages {
  /** the repositories */
  folder: string;
  /** the built packages */
  built: string;
}

export type Kind = 'deb' | 'arch';

export async function buildPackages(t: ExecutionContext, kind: Kind): Promise<Packages> {
  t.timeout(600_000, 'building packages');
  const scratch = await scratchFolder(t);
  const packages = { folder: join(scratch, 'repositories'), built: join(scratch, 'built') };
  const key = await signingKey(scratch);
  await run('node', 'packaging/package.mjs', kind, '--output', packages.built);
  await run('node', 'packaging/package.mjs', 'repository', packages.folder, '--sign', key, '--output', packages.built);
  return packages;
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
