import { Command, Option } from 'commander';
import { OperatorError } from '../core/errors.ts';
import { WIPE_METHODS, type WipeMethod } from '../core/order.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { makeOrder } from './make-order.ts';
import { addOrderOptions, type OrderOptions } from './order-options.ts';
import { selectHost, type Target } from './order-targets.ts';
import { WIPES } from './show-manifest.ts';
import { tellOrdered } from './tell-ordered.ts';

interface WipeOptions extends OrderOptions {
  method: WipeMethod;
  confirm?: string;
}

/** `penguindome wipe HOST --method M`: nobody is to read that machine any more. */
export function wipe(context: AdminContext): Command {
  const verb = new Command('wipe')
    .description(
      'make a machine unreadable, empty it of people, or lock it, wherever it is; asks for its name once more',
    )
    .argument('<host>', 'its name')
    .addOption(new Option('--method <method>', 'how; see below').choices([...WIPE_METHODS]).makeOptionMandatory())
    .option('--confirm <host>', 'its name once more, for scripts; nothing else answers the question');
  return addOrderOptions(verb, 'wipe')
    .addHelpText('after', EXAMPLES)
    .action((host: string, options: WipeOptions) => order(context, host, options));
}

const EXAMPLES = `
Methods:
${WIPE_METHODS.map((method) => `  ${method}: ${WIPES[method]}.`).join('\n')}
A machine may refuse methods (policy.yml in its trust.d), or demand a second operator's signature: then the order waits there for
penguindome orders approve. It is done when the machine next reaches the server, also when it is marked lost (penguindome hosts lost).

Examples:
  penguindome wipe lap-17 --method crypto-erase --why 'stolen, case 4711'
  penguindome wipe lap-17 --method lock --confirm lap-17 --sign-with ann@example.org`;

async function order(context: AdminContext, name: string, options: WipeOptions): Promise<void> {
  const { output } = context;
  const { method } = options;
  const target = await selectHost(context, name);
  if (!output.wantsJson) output.line(`${target.hostname}, ${method}: ${WIPES[method]}.`);
  await confirmName(context, target, options.confirm);
  const made = await makeOrder(context, { content: { kind: 'wipe', method }, targets: [target], files: [], options });
  tellOrdered(context, { order: made, targets: { v2: [target], v1: [] } });
  if (output.wantsJson) return;
  output.note(`Until it fetches that it can be called back: penguindome orders cancel ${made.id}`);
  output.note(`So that nothing else that it says counts any more: penguindome hosts lost ${target.hostname}`);
}

/** Letter by letter: whoever means another machine is to notice. */
async function confirmName({ output }: AdminContext, { hostname }: Target, said: string | undefined): Promise<void> {
  const typed = said ?? (await output.ask(`Type the name of the host to wipe:`, { flag: '--confirm HOST' }));
  if (typed === hostname) return;
  throw new OperatorError(`cannot wipe ${hostname}: ${JSON.stringify(typed)} is not its name; nothing was ordered`, {
    exitCode: EXIT.usage,
  });
}
