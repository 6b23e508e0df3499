import type { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import { ORDER_PATH } from '../wire/v2/order.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { checkOrderFiles, readOrderFile } from './order-files.ts';
import { addOrderOptions, type OrderOptions } from './order-options.ts';
import { type Selected, selectTargets, targetingCommand } from './order-targets.ts';
import { tellOrdered } from './tell-ordered.ts';
import { patchWish } from './v1/client-terms.ts';
import { orderBoth } from './v1/order-both.ts';

interface PatchOptions extends OrderOptions, Selected {
  remove?: string[];
}

/** `penguindome patch`: files to single hosts, or away from them, until the next release. */
export function patch(context: AdminContext): Command {
  const verb = targetingCommand('patch')
    .description("put plugins, their settings and commands on hosts, or remove them there, beside the site's release")
    .argument(
      '[file...]',
      'plugins/NAME, settings/NAME or commands/NAME; LOCAL=plugins/NAME where it lies elsewhere here',
    )
    .option('--remove <path...>', 'plugins/NAME, settings/NAME or commands/NAME: remove it there');
  return addOrderOptions(verb, 'patch')
    .addHelpText('after', EXAMPLES)
    .action((files: string[], options: PatchOptions) => order(context, files, options));
}

const EXAMPLES = `
All files of a patch are changed, or none. The next release (penguindome release publish) replaces the whole set, patches too.

Examples:
  penguindome patch plugins/raid settings/raid.yml --host lap-17
  penguindome patch ./raid.py=plugins/raid --host 'srv-*' --why 'new controllers'
  penguindome patch --remove plugins/raid --all`;

async function order(context: AdminContext, given: readonly string[], options: PatchOptions): Promise<void> {
  const removed = options.remove ?? [];
  if (given.length + removed.length === 0) {
    throw usage('cannot patch: expected files, or --remove');
  }
  const places = given.map(placeOf);
  const wrong = removed.find((path) => !ORDER_PATH.test(path));
  if (wrong !== undefined) throw usage(`cannot remove ${wrong}: ${EXPECTED}`);
  const paths = [...places.map(({ path }) => path), ...removed];
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice !== undefined) throw usage(`cannot patch: ${twice} is named twice`);
  const files = await Promise.all(places.map(({ local, path }) => readOrderFile(local, path)));
  await checkOrderFiles(files);
  const targets = await selectTargets(context, options, `Change ${paths.join(', ')}`);
  const wish = () => patchWish(files, removed);
  tellOrdered(
    context,
    await orderBoth(context, { content: { kind: 'patch', removed }, targets, files, options, wish }),
  );
}

const EXPECTED = 'expected plugins/NAME, settings/NAME or commands/NAME, with a name of letters, digits, _, . and -';

/** `LOCAL=plugins/NAME`, or a local file that lies in a folder of that name already. */
function placeOf(given: string): { local: string; path: string } {
  const at = given.lastIndexOf('=');
  const [local, path] =
    at === -1 ? [given, given.split('/').slice(-2).join('/')] : [given.slice(0, at), given.slice(at + 1)];
  if (local === '' || !ORDER_PATH.test(path)) throw usage(`cannot tell where ${given} is to go: ${EXPECTED}`);
  return { local, path };
}

function usage(message: string): OperatorError {
  return new OperatorError(message, { exitCode: EXIT.usage });
}
