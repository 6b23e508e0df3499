import { Command } from 'commander';
import type { TestResult } from '../core/delivery.ts';
import { OperatorError } from '../core/errors.ts';
import { isMailAddress } from '../core/mail-address.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';

export function deliveryTest(context: AdminContext): Command {
  return new Command('test')
    .description('send a marked test message to each receiver of the settings, and say what happened')
    .argument('[channel]', 'journal, mail, webhook, or the name of one webhook; all where absent')
    .option('--to <address>', 'instead: one mail as users of hosts get it, to this address')
    .addHelpText('after', EXAMPLES)
    .action((channel: string | undefined, { to }: { to?: string }) => test(context, channel, to));
}

const EXAMPLES = `
Nothing is kept or tried again. Exit status: 0 where every receiver took its message, 1 where one did not.

Examples:
  penguindome delivery test
  penguindome delivery test mail
  penguindome delivery test --to somebody@example.org`;

async function test(context: AdminContext, only: string | undefined, to: string | undefined): Promise<void> {
  if (to !== undefined && (only !== undefined || !isMailAddress(to))) {
    throw new OperatorError('cannot test: expected --to with one mail address, and no channel', {
      exitCode: EXIT.usage,
    });
  }
  const wanted = { ...(only === undefined ? {} : { only }), ...(to === undefined ? {} : { to }) };
  const results = await (await context.delivery()).test(wanted);
  if (context.output.wantsJson) context.output.json(results);
  else context.output.table(['CHANNEL', 'TO', 'RESULT'], results.map(row));
  const failed = results.filter(({ failure }) => failure !== undefined).length;
  if (failed > 0) throw new OperatorError(`cannot reach ${failed} of ${results.length}; see above`);
}

function row({ channel, receiver, failure }: TestResult): string[] {
  return [channel, receiver, failure === undefined ? 'taken' : `failed: ${failure}`];
}
