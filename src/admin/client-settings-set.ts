import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import { agentSettings } from '../settings/agent-settings.ts';
import { CLIENT_KEYS, type ClientKey, type ClientSettings } from '../settings/client-settings.ts';
import { clientSettingsFile, editClientSettings } from '../settings/client-settings-file.ts';
import { knownKeys } from '../settings/describe-agent-issue.ts';
import type { Editing } from '../settings/edit-yaml.ts';
import { nearest } from '../settings/schema-at.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { findHost } from './find-host.ts';
import { addOrderOptions, type OrderOptions } from './order-options.ts';
import { type SentSettings, sendClientSettings, sentJson, tellSent } from './send-client-settings.ts';

/** `penguindome client-settings set KEY VALUE`: wanted from now on, of all agents or of one. */
export function clientSettingsSet(context: AdminContext): Command {
  const verb = new Command('set')
    .description('want something of the settings of all agents, or of one host, and order it')
    .argument('<key>', CLIENT_KEYS.join(', '))
    .argument('<value>', 'as YAML has it: 30m, [packages, session]')
    .option('--host <host>', 'of this host only; it goes before what is wanted of all')
    .option('--no-send', 'only write it down; penguindome client-settings send orders it later');
  return addOrderOptions(verb, 'settings')
    .addHelpText('after', EXAMPLES)
    .action(async (key: string, value: string, options: WantOptions) => {
      const path = [...(await whose(context, options.host)), ...clientKey(key).split('.')];
      await want(context, options, [{ path, value }]);
    });
}

const EXAMPLES = `
Lists are replaced, not put together. What is wanted is kept beside the server's settings, not in the database; hosts that were told
something else last are told by a signed order. penguindome client-settings list shows who has taken it over.

Examples:
  penguindome client-settings set collect_interval 30m
  penguindome client-settings set collectors.disabled '[packages, session]'
  penguindome client-settings set submit_interval 5m --host lap-17`;

async function whose(context: AdminContext, host: string | undefined): Promise<string[]> {
  if (host === undefined) return ['all'];
  const { hostname } = await findHost(await context.store(), host);
  context.concerns([hostname]);
  return ['hosts', hostname];
}

/** @throws OperatorError for what nobody may want of an agent, saying why not */
export function clientKey(text: string): ClientKey {
  const known = CLIENT_KEYS.find((key) => key === text);
  if (known !== undefined) return known;
  if (isOfAgents(text)) {
    throw new OperatorError(
      `cannot want ${text} of agents: that is set on the machine itself, in agent.yml; what can be wanted: ${CLIENT_KEYS.join(', ')}`,
      { exitCode: EXIT.usage },
    );
  }
  const meant = nearest(text, CLIENT_KEYS);
  throw new OperatorError(
    `cannot find ${text} among the settings of agents; ${meant === undefined ? `there are ${CLIENT_KEYS.join(', ')}` : `did you mean ${meant}?`}`,
    { exitCode: EXIT.usage },
  );
}

function isOfAgents(text: string): boolean {
  const [first = '', ...rest] = text.split('.');
  if (!knownKeys(agentSettings, []).includes(first)) return false;
  const [second] = rest;
  return second === undefined || knownKeys(agentSettings, [first]).includes(second);
}

export interface WantOptions extends OrderOptions {
  host?: string;
  send: boolean;
}

/** Writes it down first: what cannot be ordered now is ordered by the next `client-settings send`. */
export async function want(
  context: AdminContext,
  options: WantOptions,
  edits: Editing<ClientSettings>['edits'],
): Promise<void> {
  const { output } = context;
  const file = clientSettingsFile(context.settingsFile());
  const changed = await editClientSettings(context, file, edits);
  const sent = options.send ? await send(context, file, options) : [];
  if (output.wantsJson) return output.json({ changed, file, orders: sentJson(sent) });
  output.line(changed ? `${file} is changed` : `${file} says so already`);
  if (options.send) tellSent(context, sent, 'no host has to be told');
}

async function send(context: AdminContext, file: string, options: OrderOptions): Promise<SentSettings[]> {
  try {
    return await sendClientSettings(context, { options });
  } catch (cause) {
    if (!(cause instanceof OperatorError)) throw cause;
    throw new OperatorError(
      `${cause.message}; what is wanted is written down in ${file}, and penguindome client-settings send orders it`,
      { exitCode: cause.exitCode, cause },
    );
  }
}
