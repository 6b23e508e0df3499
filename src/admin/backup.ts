import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { Command } from 'commander';
import { messageOf, OperatorError } from '../core/errors.ts';
import { sealTo } from '../crypto/seal.ts';
import { backupText } from '../store/backup/write-backup.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { readKeyFiles } from './key-files.ts';
import { readNamedFiles } from './named-files.ts';
import { writeWhole } from './write-whole.ts';

interface Options {
  withKeys?: boolean;
  to?: string;
}

export function backup(context: AdminContext): Command {
  return new Command('backup')
    .description('writes all that the store holds to one file, while the server runs')
    .argument('<file>', '- for standard output')
    .option(
      '--with-keys',
      "also the server's settings, the files that they name, accounts, certificates and keys; needs --to",
    )
    .option('--to <key>', 'encrypt to this OpenPGP public key (a file)')
    .addHelpText('after', EXAMPLES)
    .action((file: string, options: Options) => backUp(context, file, options));
}

const EXAMPLES = `
The file shows one moment of the store (a standalone MongoDB: each document by itself, which it says).
The list of identities (identities.log in the server's state folder) is not in it: back that up as a file.
What was encrypted, \`penguindome restore --key\` reads, and \`gpg --decrypt\` too.

Examples:
  penguindome backup /var/backups/penguindome-$(date +%F).gz
  penguindome backup - | ssh vault 'cat > penguindome.gz'
  penguindome backup --with-keys --to operator.asc penguindome.gz.gpg`;

async function backUp(context: AdminContext, file: string, { withKeys = false, to }: Options): Promise<void> {
  if (withKeys && to === undefined) {
    throw new OperatorError('cannot write keys in the clear: say --to KEY, an OpenPGP public key to encrypt to', {
      exitCode: EXIT.usage,
    });
  }
  const { output, clock, signal } = context;
  const recipient = to === undefined ? undefined : await readFile(to).catch(notReadable(to));
  const settings = await context.settings();
  const keys = withKeys
    ? [...(await readKeyFiles(context.settingsFile(), settings)), ...(await readNamedFiles(settings, output.note))]
    : [];
  const store = await context.store();
  const { epoch, maintenance_since } = await store.state();
  if (maintenance_since !== undefined) throw underMaintenance(maintenance_since);
  const { consistent } = store.upkeep;
  let documents = 0;
  const text = backupText({ epoch, made_at: clock.now(), consistent }, keys, store.upkeep.export(), (count) => {
    documents = count;
  });
  const measure = measured();
  const write = (target: NodeJS.WritableStream) =>
    pipeline(text, createGzip(), sealing(recipient, to ?? ''), measure.stream, target, {
      signal,
      end: target !== context.stdout,
    });
  if (file === '-') await write(context.stdout);
  else await writeWhole(file, write);
  if (!consistent)
    output.note('the database is a standalone: the backup shows each document by itself, not one moment');
  const { bytes, sha256 } = measure.result();
  const result = { file, documents, keys: keys.length, bytes, sha256, consistent, encrypted: to !== undefined };
  if (file === '-') output.note(`${documents} documents, ${bytes} bytes`);
  else if (output.wantsJson) output.json(result);
  else output.line(`${file}: ${documents} documents${withKeys ? `, ${keys.length} key files` : ''}, ${bytes} bytes`);
}

/** A stage that encrypts, where there is somebody to encrypt to. */
function sealing(recipient: Uint8Array | undefined, name: string) {
  return async function* (zipped: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    if (recipient === undefined) yield* zipped;
    else yield* await sealTo(recipient, Readable.from(zipped)).catch(notUsable(name));
  };
}

/** Counts and digests what goes by. */
function measured(): { stream: Transform; result(): { bytes: number; sha256: string } } {
  const hash = createHash('sha256');
  let bytes = 0;
  const stream = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  return { stream, result: () => ({ bytes, sha256: hash.digest('hex') }) };
}

function underMaintenance(since: Date): OperatorError {
  return new OperatorError(
    `cannot back up: a restore began at ${since.toISOString()} and is not complete; wait for it, or run \`penguindome restore\` again`,
    { exitCode: EXIT.tryAgain },
  );
}

function notReadable(path: string): (cause: unknown) => never {
  return (cause) => {
    throw new OperatorError(`cannot read ${path}: ${messageOf(cause)}`, { cause });
  };
}

function notUsable(path: string): (cause: unknown) => never {
  return (cause) => {
    throw new OperatorError(`cannot encrypt to ${path}: ${messageOf(cause)}`, { cause });
  };
}
