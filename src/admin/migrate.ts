import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { seconds } from '../core/duration.ts';
import { OperatorError } from '../core/errors.ts';
import { describeKeys, publicHalves } from '../crypto/openpgp.ts';
import { checkOpenPgpKey } from './check-given-files.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { migrateHost } from './migrate-host.ts';
import { migrateStatus } from './migrate-status.ts';
import { readOriginal } from './original/read-original.ts';
import { reportTakeOver } from './original/report.ts';
import { carryOut, type Given, planTakeOver } from './original/take-over.ts';
import { readOriginalKeys } from './read-original-keys.ts';

/** Servers look for the mark of maintenance each second. */
const UNTIL_SERVERS_KNOW = seconds(2.5);

/** `penguindome migrate`: takes over an original installation, so that its clients can report here unchanged. */
export function migrate(context: AdminContext, pause = UNTIL_SERVERS_KNOW): Command {
  return new Command('migrate')
    .description('take over an original installation, so that its hosts report here unchanged')
    .option(
      '--from <dir>',
      "the original installation's folder: keys (read with gpg), ports, users, settings, database",
    )
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--copy-database', 'copy the database into the embedded store, instead of using it as it is')
    .option('--no-database', 'leave the database alone')
    .option('--server-key <file>', "only the keys: the original server's OpenPGP key, secret, armored")
    .option('--client-key <file>', "only the keys: the original clients' OpenPGP key, armored; its public half is kept")
    .addHelpText('after', EXAMPLES)
    .addCommand(migrateHost(context))
    .addCommand(migrateStatus(context))
    .action((flags: MigrateFlags) => runMigrate(context, flags, pause));
}

const EXAMPLES = `
This server is set up first (penguindome setup); its own keys, ports and certificates stay beside what is taken over.
Doing it again changes nothing; one that was interrupted is completed by the next. docs/migrate.md goes through it step by step.

Examples:
  penguindome migrate --from /opt/penguindome --dry-run
  penguindome migrate --from /opt/penguindome
  penguindome migrate --from /opt/penguindome --copy-database
  penguindome migrate --server-key server-secret.asc --client-key client-public.asc
  penguindome migrate host lap-17 --from-repository
  penguindome migrate status

From the original's server the keys alone can be exported with
  gpg --homedir server/keyring --armor --export-secret-keys penguindome-server > server-secret.asc
  gpg --homedir server/keyring --armor --export penguindome-client > client-public.asc`;

interface MigrateFlags {
  serverKey?: string;
  clientKey?: string;
  from?: string;
  dryRun?: boolean;
  copyDatabase?: boolean;
  /** false with --no-database */
  database: boolean;
}

async function runMigrate(context: AdminContext, flags: MigrateFlags, pause: number): Promise<void> {
  // that there are settings is asked for first: without them nothing can be taken over
  await context.settings();
  const takeOver = await planTakeOver(context, await readGiven(flags, context.signal, pause));
  const dryRun = flags.dryRun === true;
  if (!dryRun) await carryOut(context, takeOver);
  reportTakeOver(context.output, takeOver, dryRun);
}

async function readGiven(flags: MigrateFlags, signal: AbortSignal, pause: number): Promise<Given> {
  const { from, serverKey, clientKey, copyDatabase, database } = flags;
  if (copyDatabase === true && !database) refuse('cannot use --copy-database together with --no-database');
  if (from !== undefined) {
    if (serverKey !== undefined || clientKey !== undefined) {
      refuse('cannot use --from together with --server-key or --client-key');
    }
    const dir = resolve(from);
    const keys = await readOriginalKeys(dir, signal);
    const { original, leftovers } = await readOriginal(dir);
    const remarks =
      original === undefined ? [`there is no ${join(dir, 'server/settings.yml')}: only the keys are taken over`] : [];
    const store = database ? { copy: copyDatabase === true, pause } : undefined;
    return { keys, original, leftovers, remarks, store };
  }
  if (copyDatabase === true || !database) refuse('cannot use --copy-database or --no-database without --from');
  if (serverKey === undefined || clientKey === undefined) {
    return refuse('cannot migrate: expected --server-key and --client-key, or --from');
  }
  const server = await checkOpenPgpKey(serverKey, '--server-key');
  await refuseUnusable(serverKey, server);
  const client = await publicHalves(await checkOpenPgpKey(clientKey, '--client-key'));
  return { keys: { server, client }, original: undefined, leftovers: [], remarks: [], store: undefined };
}

/** Releases and patches for the original's clients are signed with it, by a program that nobody types a passphrase to. */
async function refuseUnusable(file: string, armored: string): Promise<void> {
  const [key, ...more] = await describeKeys(armored);
  if (key?.kind === 'secret' && more.length === 0) return;
  const found = more.length > 0 ? `${more.length + 1} keys` : `a key that is ${key?.kind}`;
  refuse(`cannot use --server-key ${file}: expected one secret key without a passphrase, found ${found}`);
}

function refuse(why: string): never {
  throw new OperatorError(why, { exitCode: EXIT.usage });
}
