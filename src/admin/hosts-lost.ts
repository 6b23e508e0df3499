import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import type { AdminContext } from './context.ts';
import { findHost, unknownHost } from './find-host.ts';
import { identityLogOf } from './identity-log-of.ts';
import { showTime } from './show-time.ts';

export function hostsLost(context: AdminContext): Command {
  return new Command('lost')
    .description('marks a host as lost: its keys may only fetch orders and report what became of them')
    .argument('<host>', 'its name')
    .option('--found', 'it is there again: its reports count as before')
    .addHelpText('after', EXAMPLES)
    .action((hostname: string, options: { found?: boolean }) => markLost(context, hostname, options.found === true));
}

const EXAMPLES = `
For a machine that was stolen, or that nobody can find: what is reported with its keys is refused, and each time that it comes is a
line in the server's log (host.lost-seen) with its address. Its keys are not revoked, so that it can still be told what to do.

Examples:
  penguindome hosts lost lap-17
  penguindome hosts lost lap-17 --found
  penguindome hosts list --json | jq -r '.[] | select(.lost_at) | .hostname'`;

async function markLost(context: AdminContext, wanted: string, found: boolean): Promise<void> {
  const { output, clock } = context;
  const store = await context.store();
  const { hostname, identity } = await findHost(store, wanted);
  const key = identity?.keys.at(-1);
  if (identity === undefined || key === undefined) {
    throw new OperatorError(
      `cannot mark ${hostname}: it speaks the original protocol, by a key that all such hosts share; it has to enrol first`,
    );
  }
  context.concerns([hostname]);
  const at = clock.now();
  const event = found ? 'found' : 'lost';
  // Outside the store first, so that no backup that is restored later undoes it.
  const { host_id } = identity;
  await identityLogOf(await context.settings()).append({ event, key_id: key.id, host_id, hostname, at });
  if (!(await store.hosts.markLost(hostname, found ? undefined : at))) throw unknownHost(hostname);
  const lost_at = found ? null : (identity.lost_at ?? at);
  if (output.wantsJson) output.json({ hostname, host_id, lost_at });
  else if (lost_at === null) output.line(`${hostname} may report again`);
  else output.line(`${hostname} is lost since ${showTime(lost_at)}: it may only fetch orders`);
}
