import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { addOrderOptions, type OrderOptions } from './order-options.ts';
import { selectHost } from './order-targets.ts';
import { sendClientSettings, sentJson, tellSent } from './send-client-settings.ts';

interface SendOptions extends OrderOptions {
  host?: string[];
  again?: true;
}

/** `penguindome client-settings send`: to hosts that enrolled since, or did not take what they were told. */
export function clientSettingsSend(context: AdminContext): Command {
  const verb = new Command('send')
    .description('order what is wanted of those hosts that were not told so yet, or did not take it')
    .option('--host <host...>', 'only these hosts')
    .option('--again', 'though they were told so already; needs --host');
  return addOrderOptions(verb, 'settings')
    .addHelpText('after', EXAMPLES)
    .action((options: SendOptions) => send(context, options));
}

const EXAMPLES = `
client-settings set and unset send by themselves. This is for machines that enrolled since, for orders that expired or were refused, and for what
was written into client-settings.yml by hand. Repeated, it does nothing.

Examples:
  penguindome client-settings send
  penguindome client-settings send --host lap-17 --again`;

async function send(context: AdminContext, options: SendOptions): Promise<void> {
  if (options.again === true && options.host === undefined) {
    throw new OperatorError('cannot send everything again: expected --host with --again', { exitCode: EXIT.usage });
  }
  const names: string[] = [];
  for (const host of options.host ?? []) names.push((await selectHost(context, host)).hostname);
  const sent = await sendClientSettings(context, {
    ...(options.host === undefined ? {} : { only: new Set(names) }),
    again: options.again === true,
    options,
  });
  if (context.output.wantsJson) context.output.json({ orders: sentJson(sent) });
  else tellSent(context, sent, 'every host was told what is wanted of it');
}
