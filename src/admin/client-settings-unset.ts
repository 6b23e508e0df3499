import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import { type ClientSettings, plainWanted } from '../settings/client-settings.ts';
import { clientSettingsFile, editClientSettings } from '../settings/client-settings-file.ts';
import type { YamlEdit } from '../settings/edit-yaml.ts';
import { clientKey, tellWanted } from './client-settings-set.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';

/** `penguindome client-settings unset KEY`: nothing is wanted there any more. */
export function clientSettingsUnset(context: AdminContext): Command {
  return new Command('unset')
    .description('want something no more, of all agents or of one host')
    .argument('[key]', 'as in client-settings set; with --host: all that is wanted of that host where absent')
    .option('--host <host>', 'of this host only')
    .addHelpText('after', EXAMPLES)
    .action(async (key: string | undefined, { host }: { host?: string }) => {
      if (key === undefined && host === undefined) {
        throw new OperatorError('cannot unset: expected a key, or --host', { exitCode: EXIT.usage });
      }
      const steps = key === undefined ? undefined : clientKey(key).split('.');
      const file = clientSettingsFile(context.settingsFile());
      const changed = await editClientSettings(context, file, (now) => [takeOut(now, steps, host)]);
      tellWanted(context, file, changed);
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
