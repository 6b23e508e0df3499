import { join } from 'node:path';
import { Command, Option } from 'commander';
import { OperatorError } from '../core/errors.ts';
import type { Order } from '../core/order.ts';
import { withLock } from '../settings/lock-file.ts';
import { RELEASE_NUMBER } from './carry-over.ts';
import { confirm } from './confirm.ts';
import type { AdminContext } from './context.ts';
import { readIfThere, writeNew } from './ensure-files.ts';
import { EXIT } from './exit-codes.ts';
import { manifestOf } from './find-order.ts';
import { ownerIn } from './is-root.ts';
import { makeOrder } from './make-order.ts';
import { addOrderOptions, type OrderOptions } from './order-options.ts';
import { allEnrolled } from './order-targets.ts';
import { readCount } from './read-count.ts';
import { compareReleases, type ReleaseDifference, readReleaseFolder } from './release-files.ts';
import { showTime } from './show-time.ts';
import { orderedJson } from './tell-ordered.ts';
import { makeV1Release } from './v1/make-release.ts';

interface PublishOptions extends OrderOptions {
  number?: number;
  again?: true;
  dryRun?: true;
  yes?: true;
  v1?: true;
}

/** `penguindome release publish FOLDER`: the whole set of plugins, settings and commands of every host. */
export function releasePublish(context: AdminContext): Command {
  const verb = new Command('publish')
    .description(
      'give every host the plugins, settings and commands in a folder; what they have beside these is removed',
    )
    .argument('<folder>', 'holds plugins/, settings/ and commands/, or some of these')
    .option('--number <n>', 'its number, above the last one (the next)', readCount)
    .option('--again', 'though nothing differs from the last one: a new number, and a new expiry')
    .option('--dry-run', 'only show what differs from the last one')
    .addOption(
      new Option('--v1', 'for hosts that run the original client: FOLDER is laid out as its server has it').conflicts([
        'number',
        'again',
        'dryRun',
        'signWith',
        'notBefore',
        'expires',
      ]),
    )
    .option('--yes', 'without asking');
  return addOrderOptions(verb, 'release')
    .addHelpText('after', EXAMPLES)
    .action((folder: string, options: PublishOptions) => publish(context, folder, options));
}

const EXAMPLES = `
Hosts that enrol later get it, too, until it expires: publish it anew (--again) before. Files in FOLDER whose names begin with a point are left out.
penguindome patch changes single files on single hosts until the next release.

Examples:
  penguindome release publish /srv/penguindome-site --dry-run
  penguindome release publish /srv/penguindome-site --why 'raid plugin'
  penguindome release publish /srv/penguindome-site --again --yes
  penguindome release publish --v1 /opt/penguindome`;

async function publish(context: AdminContext, folder: string, options: PublishOptions): Promise<void> {
  const { output } = context;
  if (options.v1 === true) return publishV1(context, folder, options);
  const files = await readReleaseFolder(folder);
  const store = await context.store();
  const last = await findLast(context);
  if ((last?.release ?? 0) > MOST_RELEASES) {
    throw new OperatorError(
      `cannot publish a release: the store holds release ${last?.release}, which this server never made; somebody changed it. Restore a backup (penguindome restore)`,
    );
  }
  const highest = Math.max(last?.release ?? 0, await readHighest(await numberFile(context)));
  const number = options.number ?? highest + 1;
  if (number <= highest) {
    throw new OperatorError(
      `cannot publish release ${number}: hosts have seen ${highest} already, and never go back; the next is ${highest + 1}. To have old files again, publish them under that number`,
      { exitCode: EXIT.usage },
    );
  }
  const difference = compareReleases(last === undefined ? [] : manifestOf(last).files, files);
  if (options.dryRun === true) return show(context, { number, last, difference });
  if (last !== undefined && isEmpty(difference) && options.again !== true) {
    throw new OperatorError(
      `cannot publish that: it is what release ${last.release} is already; --again gives it a new number, and a new expiry`,
    );
  }
  if (!output.wantsJson) show(context, { number, last, difference });
  const targets = await allEnrolled(store);
  await confirm(context, `Give release ${number} to every host (${targets.length} now)?`, options);
  context.concerns(targets.map(({ hostname }) => hostname));
  const order = await withLock(context, `${context.settingsFile()}.lock`, async () => {
    await noteHighest(context, number);
    return makeOrder(context, { content: { kind: 'release', number }, targets, files, options });
  });
  if (output.wantsJson) output.json({ ...orderedJson(order, targets), difference });
  else
    output.line(
      `release ${number} (order ${order.id}) is for every host to fetch, until ${showTime(order.expires_at)}`,
    );
}

/** As many as --number takes. Hosts never go back: a number that somebody wrote into the store must not be the last one there is. */
const MOST_RELEASES = 9_999_999;

/** docs/protocol-v1.md, "Releases". */
async function publishV1(context: AdminContext, folder: string, options: PublishOptions): Promise<void> {
  const { output } = context;
  await confirm(context, `Give ${folder} to every host that runs the original client?`, options);
  const { number, files, size } = await makeV1Release(context, folder);
  if (output.wantsJson) output.json({ v1: { release: number, files, size } });
  else output.line(`release ${number} of the original client (${files} files) is there for its hosts to fetch`);
}

/** The last one that was not cancelled: what hosts have, or are about to get. */
async function findLast(context: AdminContext): Promise<Order | undefined> {
  for await (const order of (await context.store()).orders.list({ kinds: ['release'] })) {
    if (order.cancelled_at === undefined) return order;
  }
  return undefined;
}

/** Beside the store: a restored backup does not know of later ones, and hosts would take none of the numbers that they have seen. */
async function numberFile(context: AdminContext): Promise<string> {
  return join((await context.settings()).state, RELEASE_NUMBER);
}

async function readHighest(file: string): Promise<number> {
  const text = (await readIfThere(file)) ?? '0';
  const number = /^\d{1,7}\n?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(number))
    throw new OperatorError(
      `cannot use ${file}: it holds no number; write the highest release that hosts have seen into it`,
    );
  return number;
}

/** Before it is published: a number that nobody got is none the worse. @throws OperatorError where another command was quicker */
async function noteHighest(context: AdminContext, number: number): Promise<void> {
  const file = await numberFile(context);
  if ((await readHighest(file)) >= number) {
    throw new OperatorError(
      `cannot publish release ${number}: somebody published one just now; look at penguindome release list`,
    );
  }
  const { state } = await context.settings();
  await writeNew(file, `${number}\n`, 0o644, await ownerIn(state));
}

function isEmpty({ added, changed, removed }: ReleaseDifference): boolean {
  return added.length + changed.length + removed.length === 0;
}

function show(
  { output }: AdminContext,
  { number, last, difference }: { number: number; last: Order | undefined; difference: ReleaseDifference },
): void {
  if (output.wantsJson) {
    output.json({ release: number, last: last?.release ?? null, difference });
    return;
  }
  output.line(`release ${number}, ${last === undefined ? 'the first' : `after ${last.release}`}:`);
  const { added, changed, removed } = difference;
  for (const path of added) output.line(`  + ${path}`);
  for (const path of changed) output.line(`  ~ ${path}`);
  for (const path of removed) output.line(`  - ${path}`);
  if (isEmpty(difference)) output.line('  nothing differs');
}
