import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import { type ClientSettings, plainWanted } from '../settings/client-settings.ts';
import type { YamlEdit } from '../settings/edit-yaml.ts';
import { clientKey, type WantOptions, want } from './client-settings-set.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { addOrderOptions } from './order-options.ts';

/** `penguindome client-settings unset KEY`: nothing is wanted there any more. */
export function clientSettingsUnset(context: AdminContext): Command {
  const verb = new Command('unset')
    .description('want something no more, of all agents or of one host, and order that')
    .argument('[key]', 'as in client-settings set; with --host: all that is wanted of that host where absent')
    .option('--host <host>', 'of this host only')
    .option('--no-send', 'only write it down; penguindome client-settings send orders it later');
  return addOrderOptions(verb, 'settings')
    .addHelpText('after', EXAMPLES)
    .action(async (key: string | undefined, options: WantOptions) => {
      const { host } = options;
      if (key === undefined && host === undefined) {
        throw new OperatorError('cannot unset: expected a key, or --host', { exitCode: EXIT.usage });
      }
      const steps = key === undefined ? undefined : clientKey(key).split('.');
      await want(context, options, (now) => [takeOut(now, steps, host)]);
    });
}

const EXAMPLES = `
Examples:
  penguindome client-settings unset collect_interval
  penguindome client-settings unset submit_interval --host lap-17
  penguindome client-settings unset --host lap-17`;

/** Of a host that is not in the store any more, too. */
function takeOut(now: ClientSettings, steps: string[] | undefined, host: string | undefined): YamlEdit {
  if (host === undefined) return { path: ['all', ...(steps ?? [])], value: undefined };
  const wanted = Object.hasOwn(now.hosts, host) ? now.hosts[host] : undefined;
  if (wanted === undefined) {
    const there = Object.keys(now.hosts).join(', ');
    throw new OperatorError(
      `cannot unset: nothing is wanted of ${host} itself${there === '' ? '' : `, but of ${there}`}`,
    );
  }
  const left = Object.keys(plainWanted(wanted)).filter((key) => key !== steps?.join('.'));
  // Nothing is left of it: no empty group either.
  const path = steps === undefined || left.length === 0 ? ['hosts', host] : ['hosts', host, ...steps];
  return { path, value: undefined };
}
