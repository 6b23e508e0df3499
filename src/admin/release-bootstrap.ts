import { createHash } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Command } from 'commander';
import type { Token } from '../core/enrollment.ts';
import { OperatorError } from '../core/errors.ts';
import { writeAtomically } from '../settings/atomic-write.ts';
import type { TarFile } from '../wire/tar.ts';
import { composeBootstrap, readParts } from './bootstrap/compose.ts';
import { readRuntime } from './bootstrap/read-runtime.ts';
import type { AdminContext } from './context.ts';
import { describeToken, tokenShown } from './describe-token.ts';
import { statIfThere } from './ensure-files.ts';
import { openOrderSigner } from './order-signer.ts';
import { settingsFile } from './site-package/content.ts';
import { readSiteSettings, refuseOtherUrl } from './site-settings.ts';
import { storedToken } from './stored-token.ts';
import { tokenWarnings } from './token-warnings.ts';
import { writeWhole } from './write-whole.ts';

interface Options {
  output?: string;
  runtime: string | false;
  parts: string;
  tokenFile?: string;
  settings?: string;
}

/** As penguindome-server and penguindome-runtime install them. */
const PARTS = '/usr/share/penguindome/bootstrap';
const RUNTIME = '/usr/lib/penguindome/runtime/bin/node';

/** `penguindome release bootstrap`: the agent for machines that have neither apt nor pacman. */
export function releaseBootstrap(context: AdminContext): Command {
  return new Command('bootstrap')
    .description('make a signed tar of the agent, for machines with neither apt nor pacman (also: release --bootstrap)')
    .option('--output <file>', 'a new file; named after version and machine, in this folder, where absent')
    .option('--runtime <file>', 'the Node that goes along, as nodejs.org builds it', RUNTIME)
    .option('--no-runtime', 'without one: for machines that have Node 18.19 or newer')
    .option('--token-file <file>', 'a token of this server goes along, so that machines enrol without a question')
    .option('--settings <file>', 'settings of its machines go along, as in agent.yml')
    .option('--parts <folder>', 'where agent.tar and install.sh are', PARTS)
    .addHelpText('after', EXAMPLES)
    .action((options: Options) => make(context, options));
}

const EXAMPLES = `
Beside FILE there are then FILE.asc, its signature by this server's order key (penguindome keys list), and FILE.key, that key's public half.
Whoever installs checks the one by the other, and the key's fingerprint by what you tell them. The same parts make the same bytes.
docs/install.md tells how it is installed, upgraded and removed.

Examples:
  penguindome release bootstrap
  penguindome release bootstrap --token-file token --settings laptops.yml --output agent.tar.gz
  penguindome release bootstrap --runtime node-v24.22.3-linux-arm64/bin/node
  penguindome release bootstrap --no-runtime`;

async function make(context: AdminContext, options: Options): Promise<void> {
  const parts = await readParts(options.parts);
  const runtime = options.runtime === false ? undefined : await readRuntime(options.runtime);
  const site = await siteOf(context, options);
  const { name, tar } = composeBootstrap(parts, runtime, site.files);
  const file = options.output ?? `${name}.tar.gz`;
  if ((await statIfThere(file)) !== undefined)
    throw new OperatorError(`cannot write ${file}: it is there already; name another file with --output`);
  const bytes = await promisify(gzip)(tar);
  const { key, sign } = await openOrderSigner(context);
  const signature = await sign(bytes);
  // The tar comes last: where it is, all of it is.
  await writeAtomically(`${file}.key`, key.key, { mode: 0o644 });
  await writeAtomically(`${file}.asc`, signature, { mode: 0o644 });
  await writeWhole(file, (target) => pipeline(Readable.from([bytes]), target));
  if (site.token === undefined) await chmod(file, 0o644);
  tell(context, site.token, {
    file,
    signature: `${file}.asc`,
    key: `${file}.key`,
    fingerprint: key.fingerprint,
    version: parts.version,
    machine: runtime?.machine ?? null,
    glibc: runtime?.glibc ?? null,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  });
}

/** What install.sh puts into /etc/penguindome. */
async function siteOf(
  context: AdminContext,
  { tokenFile, settings }: Options,
): Promise<{ files: TarFile[]; token?: Token }> {
  const own = settings === undefined ? {} : await readSiteSettings(settings);
  const inSite = (from: string, values: typeof own) => ({ ...settingsFile(from, values), path: 'site/50-site.yml' });
  if (tokenFile === undefined)
    return { files: settings === undefined ? [] : [inSite('penguindome release bootstrap', own)] };
  const { token, text, url } = await storedToken(context, tokenFile);
  refuseOtherUrl(settings, own, url);
  return {
    token,
    files: [
      inSite('penguindome release bootstrap', { url, ...own }),
      { path: 'site/enrollment-token', mode: 0o600, content: Buffer.from(`${text}\n`) },
    ],
  };
}

interface Made {
  file: string;
  signature: string;
  key: string;
  fingerprint: string;
  version: string;
  machine: string | null;
  glibc: string | null;
  bytes: number;
  sha256: string;
}

function tell({ output }: AdminContext, token: Token | undefined, made: Made): void {
  const warnings = token === undefined ? [] : tokenWarnings(token, 'a tar');
  if (output.wantsJson) {
    output.json({ ...made, token: token === undefined ? null : tokenShown(token), warnings });
    return;
  }
  const { file, version, machine, glibc } = made;
  const where =
    machine === null
      ? 'for machines with a Node of their own, 18.19 or newer'
      : `and its Node, for ${machine} with glibc ${glibc} or newer`;
  output.line(`${file}: the agent ${version} ${where}`);
  output.line(`${made.signature}: its signature, by the key ${made.fingerprint} in ${made.key}`);
  if (token !== undefined) output.note(describeToken(token));
  for (const warning of warnings) output.note(`warning: ${warning}`);
}
