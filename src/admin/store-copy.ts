import { stat } from 'node:fs/promises';
import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import type { StoreSettings } from '../settings/server-settings.ts';
import type { AdminContext } from './context.ts';
import { copyStore } from './copy-store.ts';
import { isServerRunning } from './is-server-running.ts';
import { nameOfPlace, readStorePlace } from './read-store-place.ts';

interface Options {
  from: string;
  to: string;
}

export function storeCopy(context: AdminContext, isRunning = isServerRunning): Command {
  return new Command('copy')
    .description('copy all that a store holds into an empty one, of the same kind or the other, and compare')
    .requiredOption('--from <store>', 'the one that is read: settings, embedded:FILE or mongodb://HOST:PORT/DATABASE')
    .requiredOption('--to <store>', 'the one that is filled, in the same words')
    .addHelpText('after', EXAMPLES)
    .action((options: Options) => copy(context, options, isRunning));
}

const EXAMPLES = `
\`settings\` is the store of --config. Of MongoDB: mongodb://[USER@]HOST:PORT[,HOST:PORT]/DATABASE?replicaSet=NAME&tls=true&ca=FILE&passwordFile=FILE.
Stop the server first, on each machine where it runs: what is reported after the copy began would be missing. The settings stay as they are
(penguindome settings set). The copy has a new epoch: hosts hand over a whole report once, and go on. Cut off, the target is of no use, and says so.

Examples:
  penguindome store copy --from settings --to embedded:/var/lib/penguindome-server/store/copy.db
  penguindome store copy --from settings --to 'mongodb://penguindome@db1:27017,db2:27017/penguindome?replicaSet=rs0&passwordFile=/root/mongo-password'
  penguindome store copy --from mongodb://127.0.0.1:27017/penguindome --to embedded:/srv/store/penguindome.db --json`;

async function copy(context: AdminContext, options: Options, isRunning: typeof isServerRunning): Promise<void> {
  const { output, clock, random, signal } = context;
  const settings = await context.settings();
  const [source, target] = [readStorePlace(options.from, settings.store), readStorePlace(options.to, settings.store)];
  if (await isRunning(settings, signal)) {
    throw new OperatorError(
      'cannot copy the store while the server runs: what is reported meanwhile would be missing; stop it first: systemctl stop penguindome-server',
    );
  }
  await refuseMissing(source);
  const from = await context.openStore(source);
  const to = await context.openStore(target);
  if (!from.upkeep.consistent)
    output.note('the database is a standalone: nothing but that the server is stopped makes the copy one moment of it');
  const progress = (documents: number) => output.wantsJson || output.note(`${documents} documents`);
  const copied = await copyStore({ from, to, clock, random, signal, progress });
  const names = { from: nameOfPlace(source), to: nameOfPlace(target) };
  if (output.wantsJson) output.json({ ...names, ...copied });
  else output.line(`${names.to} holds what ${names.from} does: ${copied.documents} documents, compared`);
}

/** To open a store makes it where there is none. */
async function refuseMissing(source: StoreSettings): Promise<void> {
  if (source.kind !== 'embedded') return;
  const there = await stat(source.file).catch(() => undefined);
  if (there?.isFile() !== true) throw new OperatorError(`cannot copy the store: there is no file ${source.file}`);
}
