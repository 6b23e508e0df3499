import { createHash } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Token } from '../core/enrollment.ts';
import { OperatorError } from '../core/errors.ts';
import { composeToken } from './compose-token.ts';
import type { AdminContext } from './context.ts';
import { describeToken, tokenShown } from './describe-token.ts';
import { statIfThere } from './ensure-files.ts';
import { NAME, siteFiles } from './site-package/content.ts';
import { makeArch } from './site-package/make-arch.ts';
import { makeDeb } from './site-package/make-deb.ts';
import { readSiteSettings, refuseOtherUrl } from './site-settings.ts';
import { type StoredToken, storedToken } from './stored-token.ts';
import { addTokenOptions, type TokenOptions } from './token-options.ts';
import { tokenWarnings } from './token-warnings.ts';
import { writeWhole } from './write-whole.ts';

interface Options extends TokenOptions {
  format: keyof typeof FORMATS;
  output?: string;
  tokenFile?: string;
  settings?: string;
  packageVersion?: string;
}

const FORMATS = {
  deb: { make: makeDeb, file: (version: string) => `${NAME}_${version}_all.deb` },
  arch: { make: makeArch, file: (version: string) => `${NAME}-${version}-1-any.pkg.tar.gz` },
};

/** `penguindome site-package`: with the agent's package, all that a machine needs to enrol. */
export function sitePackage(context: AdminContext): Command {
  const verb = new Command('site-package')
    .description(`make the package ${NAME}: installed beside penguindome-agent, it enrols a machine without a question`)
    .addOption(
      new Option('--format <kind>', 'for apt or for pacman').choices(Object.keys(FORMATS)).makeOptionMandatory(),
    )
    .option('--output <file>', 'a new file (mode 0600); named after its version, in this folder, where absent')
    .addOption(
      new Option('--token-file <file>', 'a token of this server, instead of a new one').conflicts([
        ...['expires', 'uses', 'pattern', 'approve', 'pending', 'note'],
      ]),
    )
    .option('--settings <file>', 'further settings for its machines, as in agent.yml')
    .option('--package-version <version>', 'when the token was made, where absent', readVersion);
  return addTokenOptions(verb)
    .addHelpText('after', EXAMPLES)
    .action((options: Options) => makePackage(context, options));
}

const EXAMPLES = `
It says where the server is and what it is trusted by, and holds an enrolment token, new where --token-file names none. The package is no secret:
whoever gets a copy can read the token, so let it be good for a few days and either for names of a pattern or only to ask (--pending).
The same token, settings and version make the same bytes. docs/install.md tells how it comes to machines.

Examples:
  penguindome site-package --format deb --uses 20 --expires 3d --pattern 'lap-*' --approve
  penguindome site-package --format arch --uses 5 --expires 24h --output site.pkg.tar.gz
  penguindome site-package --format deb --token-file token --settings laptops.yml`;

async function makePackage(context: AdminContext, options: Options): Promise<void> {
  const own = options.settings === undefined ? {} : await readSiteSettings(options.settings);
  const { token, text, url, isNew } = await (options.tokenFile === undefined
    ? newToken(context, options)
    : { ...(await storedToken(context, options.tokenFile)), isNew: false });
  refuseOtherUrl(options.settings, own, url);
  const version = options.packageVersion ?? versionOf(token.created_at);
  const at = Math.floor(token.created_at.getTime() / 1000);
  const { make, file: nameOf } = FORMATS[options.format];
  const bytes = make({ version, at, url, files: siteFiles(url, text, own) });
  const file = options.output ?? nameOf(version);
  await writePackage(file, bytes);
  // After the file: a token that nobody can hand over must not be left in the store, nor a package whose token lets nobody in.
  if (isNew) {
    const { tokens } = await context.store();
    await tokens.insert(token).catch(async (error: unknown) => {
      await unlink(file).catch(() => undefined);
      throw error;
    });
  }
  tell(context, { file, format: options.format, version, url, token, bytes });
}

interface Given extends StoredToken {
  isNew: boolean;
}

async function newToken(context: AdminContext, options: Options): Promise<Given> {
  const { token, text } = await composeToken(context, { ...options, approve: options.approve === true });
  const { public_url: url } = await context.settings();
  return { token, text, url, isNew: true };
}

async function writePackage(file: string, bytes: Uint8Array): Promise<void> {
  if ((await statIfThere(file)) !== undefined)
    throw new OperatorError(`cannot write ${file}: it is there already; name another file with --output`);
  await writeWhole(file, (target) => pipeline(Readable.from([bytes]), target));
}

/** Higher each time, and the same for the same token: 20261123.120000 */
function versionOf(made: Date): string {
  return made.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '.');
}

/** One that both dpkg and pacman take. */
function readVersion(text: string): string {
  if (!/^[0-9][A-Za-z0-9.+]{0,63}$/.test(text))
    throw new InvalidArgumentError(
      'Expected a version of digits, letters, . and + that begins with a digit, such as 1.2.',
    );
  return text;
}

interface Made {
  file: string;
  format: string;
  version: string;
  url: string;
  token: Token;
  bytes: Uint8Array;
}

function tell({ output }: AdminContext, { token, bytes, ...made }: Made): void {
  const warnings = tokenWarnings(token, 'a package');
  if (output.wantsJson) {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    output.json({ package: NAME, ...made, bytes: bytes.length, sha256, token: tokenShown(token), warnings });
    return;
  }
  output.line(`${made.file}: ${NAME} ${made.version} for ${made.url}`);
  output.note(describeToken(token));
  for (const warning of warnings) output.note(`warning: ${warning}`);
}
