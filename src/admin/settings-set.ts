import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import { editSettings } from '../settings/edit-settings.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';

/** `penguindome settings set PATH VALUE`: comments and order of the file stay; nothing is replaced that would not be valid. */
export function settingsSet(context: AdminContext): Command {
  return new Command('set')
    .description('change one setting in the file; comments and order stay')
    .argument('<path>', 'dotted path, such as ports.0.deprecated')
    .argument('[value]', 'as YAML has it: 5000, true, 10m, [a, b]')
    .option('--unset', 'take the setting out instead, so that its default holds')
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, value: string | undefined, { unset }: { unset?: true }) => {
      if ((value === undefined) !== (unset === true)) {
        throw new OperatorError('cannot set: expected a value, or --unset', { exitCode: EXIT.usage });
      }
      const file = context.settingsFile();
      const changed = await editSettings(context, file, [{ path, value }]);
      if (context.output.wantsJson) context.output.json({ changed, settings: file });
      else context.output.line(changed ? `${file} is changed; tell the server: ${TELL}` : `${file} says so already`);
    });
}

const TELL = 'systemctl reload penguindome-server';

const EXAMPLES = `
Durations are a number and s, m, h or d. The server takes most changes on when it is reloaded, and logs which need a restart.

Examples:
  penguindome settings set agents.collect_interval 30m
  penguindome settings set ports.0.deprecated true
  penguindome settings set ports.1 '{port: 8444, tls: {certificate: own/dome.crt, key: own/dome.key}}'
  penguindome settings set audit.mail --unset`;
