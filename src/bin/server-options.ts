import { parseArgs } from 'node:util';
import { messageOf, OperatorError } from '../core/errors.ts';

export type ServerCommand =
  | { kind: 'serve' | 'check-config' | 'check-settings'; config: string }
  | { kind: 'version' }
  | { kind: 'help' };

export const HELP = `Usage: penguindome-server [--config FILE] [--check-config [--settings-only]]

Serves PenguinDome's agents. Runs in the foreground, and logs to standard output, one JSON object a line.

Options:
  --config FILE    settings (default: /etc/penguindome/server.yml; penguindome setup makes them)
  --check-config   say whether the server would start with these settings, and exit: 0 yes, 1 no
  --settings-only  with --check-config: look at the file of settings alone, as before it is put in its place, and not at the
                   keys, certificates, ports and store that it names
  --version        print the version
  --help           print this

Signals:
  SIGHUP           read settings, certificates, answer keys and checks again; no connection is dropped
  SIGTERM, SIGINT  finish what is under way, at most 10 s, and stop

Examples:
  penguindome-server --config /srv/penguindome/server.yml --check-config
  systemctl reload penguindome-server
`;

/** @throws OperatorError (exit status 2) for what is no option */
export function readServerOptions(args: string[]): ServerCommand {
  const { values } = parse(args);
  if (values.help === true) return { kind: 'help' };
  if (values.version === true) return { kind: 'version' };
  const config = values.config ?? '/etc/penguindome/server.yml';
  if (values['settings-only'] === true && values['check-config'] !== true) {
    throw new OperatorError('cannot use --settings-only without --check-config; see penguindome-server --help', {
      exitCode: 2,
    });
  }
  if (values['check-config'] !== true) return { kind: 'serve', config };
  return { kind: values['settings-only'] === true ? 'check-settings' : 'check-config', config };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        config: { type: 'string' },
        'check-config': { type: 'boolean' },
        'settings-only': { type: 'boolean' },
        version: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (cause) {
    throw new OperatorError(`${messageOf(cause)}; see penguindome-server --help`, { exitCode: 2, cause });
  }
}
