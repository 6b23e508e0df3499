import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import { isMailAddress } from '../core/mail-address.ts';
import type { ParameterName } from '../core/parameters.ts';
import type { Store } from '../store/port.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { findHost } from './find-host.ts';
import { parameterArgument } from './hosts-parameters-list.ts';

export function hostsParametersSet(context: AdminContext): Command {
  return new Command('set')
    .description('says who uses a host, or which other hosts its user has')
    .argument('<host>', 'its name')
    .addArgument(parameterArgument())
    .argument('<value...>', 'a mail address; or the names of the other hosts')
    .addHelpText('after', EXAMPLES)
    .action((host: string, parameter: ParameterName, value: string[]) => setParameter(context, host, parameter, value));
}

const EXAMPLES = `
user_email: whom \`penguindome issues audit --email\` writes to about the host's issues.
user_clients: the machines of one user. Set for one, it is set for the others, too. While one of them reports, nobody is alerted that
another is silent, for 31 days at most. A machine that belonged to another such group is taken out of that one.

Examples:
  penguindome hosts parameters set lap-17 user_email ada@example.org
  penguindome hosts parameters set lap-17 user_clients desk-17 old-17`;

async function setParameter(
  context: AdminContext,
  wanted: string,
  parameter: ParameterName,
  given: string[],
): Promise<void> {
  const { output, clock } = context;
  const store = await context.store();
  const { hostname } = await findHost(store, wanted);
  context.concerns([hostname]);
  const value = parameter === 'user_email' ? addressIn(given) : await othersIn(store, hostname, given);
  const former = await store.parameters.set(hostname, parameter, value, clock.now());
  const changed = former?.join('\n') !== value.join('\n');
  if (output.wantsJson) output.json({ hostname, parameter, value, former, changed });
  else if (!changed) output.line(`${hostname}: ${parameter} is ${value.join(', ')} already`);
  else {
    const before = former === null ? '' : ` (was ${former.join(', ')})`;
    output.line(`${hostname}: ${parameter} is now ${value.join(', ')}${before}`);
  }
}

function addressIn(given: string[]): string[] {
  const [address = '', ...others] = given;
  if (others.length > 0) throw usage('cannot set user_email to several addresses: expected one');
  if (!isMailAddress(address)) {
    throw usage(`cannot set user_email to ${JSON.stringify(address)}: expected a mail address such as ada@example.org`);
  }
  return [address];
}

/** As the hosts themselves spell them. */
async function othersIn(store: Store, hostname: string, given: string[]): Promise<string[]> {
  const hosts = await Promise.all(given.map((name) => findHost(store, name)));
  const names = [...new Set(hosts.map((host) => host.hostname))].sort();
  if (names.includes(hostname)) throw usage(`cannot link ${hostname} with itself`);
  return names;
}

function usage(message: string): OperatorError {
  return new OperatorError(message, { exitCode: EXIT.usage });
}
