import { Command } from 'commander';
import { clientSettingsFile, editClientSettings, loadClientSettings } from '../settings/client-settings-file.ts';
import { confirm } from './confirm.ts';
import type { AdminContext } from './context.ts';
import { findHost, unknownHost } from './find-host.ts';
import { revokeKey } from './revoke-key.ts';

export function hostsForget(context: AdminContext): Command {
  return new Command('forget')
    .description('ends a host: its keys are revoked, its document removed, its issues closed; its history stays')
    .argument('<host>', 'its name')
    .option('--yes', 'without asking')
    .addHelpText('after', EXAMPLES)
    .action((hostname: string, options: { yes?: boolean }) => forgetHost(context, hostname, options));
}

const EXAMPLES = `
The machine must enrol anew, with a new key, to come back. One that had enrolled stays refused on the original protocol.

Examples:
  penguindome hosts forget lap-17
  penguindome hosts forget lap-17 --yes`;

async function forgetHost(context: AdminContext, wanted: string, options: { yes?: boolean }): Promise<void> {
  const { output, clock } = context;
  const store = await context.store();
  const { hostname, identity } = await findHost(store, wanted);
  context.concerns([hostname]);
  await confirm(context, `Forget ${hostname} and all that it reported?`, options);
  // Keys first: where we stop half way, the host is refused and can be forgotten again.
  for (const { id, revoked_at } of identity?.keys ?? []) {
    if (revoked_at === undefined) await revokeKey(context, id, `${hostname} was forgotten`);
  }
  if (!(await store.hosts.forget(hostname, clock.now()))) throw unknownHost(hostname);
  await wantNothing(context, hostname);
  if (output.wantsJson) output.json({ hostname, forgotten: true });
  else output.line(`${hostname} is forgotten; \`penguindome hosts history ${hostname}\` still shows what it reported`);
}

/** Another machine of that name is not to inherit it. */
async function wantNothing(context: AdminContext, hostname: string): Promise<void> {
  const file = clientSettingsFile(context.settingsFile());
  if (!Object.hasOwn((await loadClientSettings(file)).hosts, hostname)) return;
  await editClientSettings(context, file, [{ path: ['hosts', hostname], value: undefined }]);
}
