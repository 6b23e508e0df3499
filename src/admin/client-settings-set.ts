import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import { agentSettings } from '../settings/agent-settings.ts';
import { CLIENT_KEYS, type ClientKey } from '../settings/client-settings.ts';
import { clientSettingsFile, editClientSettings } from '../settings/client-settings-file.ts';
import { knownKeys } from '../settings/describe-agent-issue.ts';
import { nearest } from '../settings/schema-at.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { findHost } from './find-host.ts';

/** `penguindome client-settings set KEY VALUE`: wanted from now on, of all agents or of one. */
export function clientSettingsSet(context: AdminContext): Command {
  return new Command('set')
    .description('want something of the settings of all agents, or of one host')
    .argument('<key>', CLIENT_KEYS.join(', '))
    .argument('<value>', 'as YAML has it: 30m, [packages, session]')
    .option('--host <host>', 'of this host only; it goes before what is wanted of all')
    .addHelpText('after', EXAMPLES)
    .action(async (key: string, value: string, { host }: { host?: string }) => {
      const path = [...(await whose(context, host)), ...clientKey(key).split('.')];
      const file = clientSettingsFile(context.settingsFile());
      const changed = await editClientSettings(context, file, [{ path, value }]);
      tellWanted(context, file, changed);
    });
}

const EXAMPLES = `
Lists are replaced, not put together. What is wanted is kept beside the server's settings, not in the database; agents take it over by
signed orders, which this version cannot send yet: until then it is what hosts are compared with.

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

export function tellWanted({ output }: AdminContext, file: string, changed: boolean): void {
  if (output.wantsJson) output.json({ changed, file });
  else output.line(changed ? `${file} is changed` : `${file} says so already`);
}
