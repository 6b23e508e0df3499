import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { seconds } from '../core/duration.ts';
import { messageOf, OperatorError } from '../core/errors.ts';
import { unlockSecretKey, unseal } from '../crypto/seal.ts';
import { loadServerSettings } from '../settings/load-server-settings.ts';
import { loadOrderKeys, loadRevocations } from '../settings/order-key-files.ts';
import type { BackupHeader, KeyFile } from '../store/backup/format.ts';
import { readBackup } from '../store/backup/read-backup.ts';
import { type IdentityEvent, openIdentityLog } from '../store/identity-log.ts';
import { addIdentities } from './add-identities.ts';
import { carryKeys, carryState } from './carry-over.ts';
import { confirm } from './confirm.ts';
import type { AdminContext } from './context.ts';
import { exists } from './ensure-files.ts';
import { EXIT } from './exit-codes.ts';
import { identityLogOf } from './identity-log-of.ts';
import { choosePlaces, placesOf, settingsOf, writeKeyFiles } from './key-files.ts';
import { isNamed, placeOfNamed } from './named-files.ts';
import { restoreStore } from './restore-store.ts';
import { tellStatements } from './tell-statements.ts';

interface Options {
  key?: string;
  passphraseFile?: string;
  identities?: string;
  withKeys?: boolean;
  force?: boolean;
  yes?: boolean;
}

/** Servers look for the mark of maintenance each second. */
const UNTIL_SERVERS_KNOW = seconds(2.5);

export function restore(context: AdminContext, pause = UNTIL_SERVERS_KNOW): Command {
  return new Command('restore')
    .description('replaces all that the store holds by a backup; servers that run answer 503 meanwhile')
    .argument('<file>', 'what `penguindome backup` wrote; - for standard input')
    .option('--key <file>', 'the OpenPGP secret key, where the backup is encrypted')
    .option('--passphrase-file <file>', 'the passphrase of that key, instead of asking')
    .option(
      '--identities <file>',
      'a list of identities that was saved with it; what the own list lacks is added before the store is replaced',
    )
    .option(
      '--with-keys',
      "also put the server's settings, the files that they name, accounts, certificates and keys back",
    )
    .option('--force', 'with --with-keys: overwrite other ones that are there')
    .option('--yes', 'without asking')
    .addHelpText('after', EXAMPLES)
    .action((file: string, options: Options) => restoreFrom(context, file, options, pause));
}

const EXAMPLES = `
The file is read to its end and checked before anything is touched. After a restore all tokens of the backup are void, keys that
were revoked since stay revoked, and machines that enrolled since wait for \`penguindome enrollment approve\`.
One that was interrupted is run again.

Examples:
  penguindome restore /var/backups/penguindome-2026-11-23.gz
  penguindome restore --identities saved/identities.log saved/penguindome.gz
  penguindome restore --key operator-secret.asc --with-keys penguindome.gz.gpg
  ssh vault cat penguindome.gz | penguindome restore --yes -`;

async function restoreFrom(context: AdminContext, file: string, options: Options, pause: number): Promise<void> {
  const { output, clock, random, signal } = context;
  const bytes = await openBytes(context, file, options);
  const { header, documents, files } = await verify(bytes());
  const saved = options.identities === undefined ? [] : await savedIdentities(context, options.identities);
  output.note(
    `the backup of ${header.made_at.toISOString()} is whole: ${documents} documents, ${files.length} key files`,
  );
  await confirm(context, 'Replace all that the store holds now?', options);
  const written = await restoreKeys(context, files, options);
  const store = await context.store();
  const identities = identityLogOf(await context.settings());
  await addIdentities(identities, saved);
  const deps = { store, identities, clock, random, signal, pause };
  const { pending, revoked, unreadable } = await restoreStore(deps, readBackup(bytes()));
  await tellKeyNews(context);
  if (unreadable > 0) output.note(`${unreadable} lines of the list of identities cannot be read and were left out`);
  if (output.wantsJson) {
    const waiting = pending.map(({ key_id, hostname }) => ({ key_id, hostname }));
    output.json({ documents, keys: written, made_at: header.made_at, pending: waiting, revoked });
    return;
  }
  output.line(
    `${documents} documents are restored${written > 0 ? `, and ${written} key files` : ''}; all tokens are void`,
  );
  if (revoked > 0) output.line(`${revoked} keys that were revoked since the backup stay revoked`);
  if (pending.length === 0) return;
  output.line('Enrolled since the backup, and waiting for `penguindome enrollment approve`:');
  for (const { hostname, key_id } of pending) output.line(`  ${key_id}  ${hostname}`);
}

/** The backup may be older than rotations and revocations, which lie outside the store too: hosts must learn of them from this store. */
async function tellKeyNews(context: AdminContext): Promise<void> {
  const { keys } = await context.settings();
  const now = context.clock.now();
  try {
    const news = { ...(await loadOrderKeys({ keys }, now)), revocations: await loadRevocations({ keys }) };
    await tellStatements(await context.store(), news, now);
  } catch (cause) {
    context.output.note(`hosts are not told of keys that were replaced or revoked: ${messageOf(cause)}`);
  }
}

async function savedIdentities({ output }: AdminContext, file: string): Promise<IdentityEvent[]> {
  if (!(await exists(file)))
    throw new OperatorError(`cannot read the list of identities ${file}: there is no such file`);
  const { events, unreadable } = await openIdentityLog(file).read();
  if (unreadable > 0) output.note(`${unreadable} lines of ${file} cannot be read and are left out`);
  return events;
}

/** Reads all of it. @throws BackupDamaged where it is not whole */
async function verify(
  bytes: AsyncIterable<Uint8Array>,
): Promise<{ header: BackupHeader; documents: number; files: KeyFile[] }> {
  let header: BackupHeader | undefined;
  let documents = 0;
  const files: KeyFile[] = [];
  for await (const entry of readBackup(bytes)) {
    if (entry.kind === 'header') header = entry.header;
    else if (entry.kind === 'document') documents++;
    else files.push(entry);
  }
  if (header === undefined) throw new OperatorError('cannot use the backup: it has no header');
  return { header, documents, files };
}

/** @returns how many files were written */
async function restoreKeys(context: AdminContext, files: KeyFile[], options: Options): Promise<number> {
  if (options.withKeys !== true) {
    if (files.length > 0) context.output.note('its key files are left alone; --with-keys puts them back');
    return 0;
  }
  if (files.length === 0) throw new OperatorError('cannot put keys back: the backup holds none; leave out --with-keys');
  const settingsFile = context.settingsFile();
  // Not those of the context, which would be kept: the store, too, is the one that is named by the settings put back.
  const here = (await exists(settingsFile)) ? await loadServerSettings(settingsFile) : undefined;
  // The settings that are there afterwards say where all goes: without --force other ones than the backup's are refused.
  const settings = here === undefined || options.force === true ? settingsOf(files, settingsFile) : here;
  const wanted = placesOf(files, settingsFile, settings);
  if (here !== undefined) await carryKeys(wanted, here, settings);
  for (const file of files.filter(isNamed)) {
    const path = placeOfNamed(file, settings);
    if (path !== undefined) wanted.set(path, file);
    else context.output.note(`${file.file} of the backup is left out: the settings that are here name no such file`);
  }
  const places = await choosePlaces(wanted, options.force === true);
  // Settings last: until then the ones so far say where to carry from, should this be cut off and run again.
  const ofSettings = new Map([...places].filter(([path]) => path === settingsFile));
  const others = new Map([...places].filter(([path]) => path !== settingsFile));
  await writeKeyFiles(others, settings);
  if (here !== undefined) await carryState(here, settings);
  if (ofSettings.size > 0) await writeKeyFiles(ofSettings, settings);
  return places.size;
}

/**
 * A file is read twice, as a stream. What comes from standard input, or is encrypted, is kept in memory:
 * the keys in it never lie on a disk in the clear.
 */
async function openBytes(
  context: AdminContext,
  file: string,
  options: Options,
): Promise<() => AsyncIterable<Uint8Array>> {
  const whole = file === '-' ? await collect(context.stdin) : undefined;
  const start = whole?.subarray(0, 2) ?? (await startOf(file));
  if (isGzip(start)) return whole === undefined ? () => createReadStream(file) : () => once(whole);
  if (options.key === undefined) {
    throw new OperatorError('cannot use the backup: it is none, or encrypted; say --key FILE with the secret key', {
      exitCode: EXIT.usage,
    });
  }
  const opened = await decrypt(context, whole ?? (await readFile(file)), options.key, options.passphraseFile);
  return () => once(opened);
}

async function decrypt(
  { output }: AdminContext,
  sealed: Uint8Array,
  keyFile: string,
  passphraseFile: string | undefined,
): Promise<Uint8Array> {
  try {
    const passphrase = async () =>
      passphraseFile === undefined
        ? output.ask(`Passphrase of ${keyFile}:`, { flag: '--passphrase-file', secret: true })
        : (await readFile(passphraseFile, 'utf8')).replace(/\r?\n$/, '');
    return await unseal(sealed, await unlockSecretKey(await readFile(keyFile), passphrase));
  } catch (cause) {
    if (cause instanceof OperatorError) throw cause;
    throw new OperatorError(`cannot decrypt the backup with ${keyFile}: ${messageOf(cause)}; nothing was changed`, {
      cause,
    });
  }
}

async function startOf(file: string): Promise<Uint8Array> {
  try {
    for await (const chunk of createReadStream(file, { end: 1 })) return chunk;
    return new Uint8Array();
  } catch (cause) {
    throw new OperatorError(`cannot read ${file}: ${messageOf(cause)}`, { cause });
  }
}

async function collect(stream: NodeJS.ReadableStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function isGzip(start: Uint8Array): boolean {
  return start[0] === 0x1f && start[1] === 0x8b;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
