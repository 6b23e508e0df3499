import { createHash } from 'node:crypto';
import { readFile, unlink } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isDeepStrictEqual } from 'node:util';
import { Command, InvalidArgumentError, Option } from 'commander';
import { days } from '../core/duration.ts';
import type { Token } from '../core/enrollment.ts';
import { messageOf, OperatorError } from '../core/errors.ts';
import { type PlainGroup, readAgentSettings } from '../settings/agent-settings-file.ts';
import { decodeToken } from '../wire/v2/token.ts';
import { composeToken } from './compose-token.ts';
import type { AdminContext } from './context.ts';
import { describeToken, tokenShown } from './describe-token.ts';
import { statIfThere } from './ensure-files.ts';
import { EXIT } from './exit-codes.ts';
import { readServerTrust } from './server-trust.ts';
import { showTime } from './show-time.ts';
import { NAME, siteFiles } from './site-package/content.ts';
import { makeArch } from './site-package/make-arch.ts';
import { makeDeb } from './site-package/make-deb.ts';
import { addTokenOptions, type TokenOptions } from './token-options.ts';
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

/** A token that is good for longer is not called short-lived. */
const SHORT_LIVED = days(7);

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
  const own = options.settings === undefined ? {} : await readOwn(options.settings);
  const { token, text, url, isNew } = await (options.tokenFile === undefined
    ? newToken(context, options)
    : storedToken(context, options.tokenFile));
  if (own['url'] !== undefined && own['url'] !== url) {
    throw new OperatorError(
      `cannot use ${options.settings}: its url is ${own['url']}, and that of the token is ${url}; leave it out`,
      { exitCode: EXIT.usage },
    );
  }
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

/** What would be one machine's alone has no place in it. */
async function readOwn(file: string): Promise<PlainGroup> {
  const own = await readAgentSettings(file);
  if (own['hostname'] === undefined) return own;
  throw new OperatorError(`cannot use ${file}: with \`hostname\` all machines would report under one name`, {
    exitCode: EXIT.usage,
  });
}

interface Given {
  token: Token;
  text: string;
  url: string;
  isNew: boolean;
}

async function newToken(context: AdminContext, options: Options): Promise<Given> {
  const { token, text } = await composeToken(context, { ...options, approve: options.approve === true });
  const { public_url: url } = await context.settings();
  return { token, text, url, isNew: true };
}

/** @throws OperatorError for one that lets nobody in */
async function storedToken(context: AdminContext, file: string): Promise<Given> {
  const text = (
    await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new OperatorError(`cannot read ${file}: ${messageOf(cause)}`, { exitCode: EXIT.usage, cause });
    })
  ).trim();
  const refuse = (why: string) =>
    new OperatorError(`cannot use the token in ${file}: ${why}`, { exitCode: EXIT.usage });
  const content = decodeToken(text);
  if (content === undefined) throw refuse('it is none, or not whole; `penguindome enrollment token --out` makes one');
  const { secret, ...trust } = content;
  // Whoever had it in hand may have put another server into it. Keys that were replaced since are told by a new one, too.
  if (!isDeepStrictEqual(trust, await readServerTrust(await context.settings())))
    throw refuse('it names another server, or keys and certificates that this one no longer has; make a new one');
  const { tokens } = await context.store();
  const token = await tokens.find(createHash('sha256').update(secret).digest('hex'));
  if (token === undefined) throw refuse('this server does not know it');
  if (token.revoked_at !== undefined) throw refuse('it was revoked');
  if (token.expires_at <= context.clock.now()) throw refuse(`it expired at ${showTime(token.expires_at)}`);
  if (token.used_by.length >= token.uses) throw refuse('it is used up');
  return { token, text, url: content.url, isNew: false };
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
  const warnings = warningsOf(token);
  if (output.wantsJson) {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    output.json({ package: NAME, ...made, bytes: bytes.length, sha256, token: tokenShown(token), warnings });
    return;
  }
  output.line(`${made.file}: ${NAME} ${made.version} for ${made.url}`);
  output.note(describeToken(token));
  for (const warning of warnings) output.note(`warning: ${warning}`);
}

/** The first one is always told. */
function warningsOf({ created_at, expires_at, approve, pattern }: Token): string[] {
  const until = showTime(expires_at);
  const warnings = [`a package is no secret: whoever gets a copy can read the token in it, and use it until ${until}`];
  if (expires_at.getTime() - created_at.getTime() > SHORT_LIVED)
    warnings.push('the token is not short-lived: let it be good for a few days (--expires), and make the package anew');
  if (approve && (pattern === undefined || /^[*?]*$/.test(pattern)))
    warnings.push('the token lets in any machine at once: use --pending, or names of a pattern (--pattern)');
  return warnings;
}
