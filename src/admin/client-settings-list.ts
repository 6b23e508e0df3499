import { Command } from 'commander';
import type { Host } from '../core/host.ts';
import type { OrderState } from '../core/order.ts';
import { valueAt } from '../core/value.ts';
import {
  CLIENT_KEYS,
  type ClientSettings,
  type Comparison,
  compareWanted,
  type PlainWanted,
  plainWanted,
  readReported,
  wantedOf,
} from '../settings/client-settings.ts';
import { clientSettingsFile, loadClientSettings } from '../settings/client-settings-file.ts';
import type { AdminContext, Output } from './context.ts';
import { findHost } from './find-host.ts';
import { lastSettingsOrders } from './last-settings-orders.ts';

/** `penguindome client-settings list`: what is wanted of agents, and what hosts say of themselves. */
export function clientSettingsList(context: AdminContext): Command {
  return new Command('list')
    .description('what is wanted of agents, and whether each host reports just that')
    .option('--host <host>', 'this host only')
    .option('--differs', 'only hosts that report something else, or nothing of it')
    .addHelpText('after', EXAMPLES)
    .action((options: { host?: string; differs?: true }) => list(context, options));
}

const EXAMPLES = `
A host "does not report" its settings where its agent is too old, is the original client, or has the collector \`agent\` switched off.
LAST ORDER is what became of the last one that told it its settings; penguindome client-settings send tells those that were told nothing.

Examples:
  penguindome client-settings list
  penguindome client-settings list --host lap-17
  penguindome client-settings list --differs --json | jq -r '.compared[].hostname'`;

/** `order`: the last one that tells the host its settings */
type Compared = { hostname: string; order: { id: string; state: OrderState } | null } & Comparison;

async function list(context: AdminContext, { host, differs }: { host?: string; differs?: true }): Promise<void> {
  const file = clientSettingsFile(context.settingsFile());
  const settings = await loadClientSettings(file);
  const { compared, strangers } = await compare(context, settings, host);
  const shown =
    differs === true ? compared.filter(({ state }) => state === 'differs' || state === 'not-reported') : compared;
  const all = plainWanted(settings.all);
  const hosts = Object.entries(settings.hosts).map(([hostname, wanted]) => ({ hostname, wanted: plainWanted(wanted) }));
  if (context.output.wantsJson) {
    context.output.json({ file, all, hosts, compared: shown, unknown_hosts: strangers });
    return;
  }
  print(context.output, { all, hosts: hosts.filter(({ hostname }) => host === undefined || hostname === host), shown });
  for (const name of strangers) {
    context.output.note(`There is no host named ${name}: penguindome client-settings unset --host ${name}`);
  }
}

/** @returns `strangers`: hosts of which something is wanted, and that there are none of */
async function compare(
  context: AdminContext,
  settings: ClientSettings,
  only: string | undefined,
): Promise<{ compared: Compared[]; strangers: string[] }> {
  const store = await context.store();
  const compared: Compared[] = [];
  const last = await lastSettingsOrders(store);
  const note = ({ hostname, plugins, identity }: Pick<Host, 'hostname' | 'plugins' | 'identity'>) => {
    const reported = readReported(valueAt(plugins, 'agent.settings'));
    const told = identity === undefined ? undefined : last.get(identity.host_id);
    const order = told === undefined ? null : { id: told.order, state: told.state };
    compared.push({ hostname, order, ...compareWanted(wantedOf(settings, hostname), reported) });
  };
  if (only !== undefined) {
    note(await findHost(store, only));
    return { compared, strangers: [] };
  }
  for await (const host of store.hosts.list()) note(host);
  const known = new Set(compared.map(({ hostname }) => hostname));
  return { compared, strangers: Object.keys(settings.hosts).filter((name) => !known.has(name)) };
}

function print(
  output: Output,
  { all, hosts, shown }: { all: PlainWanted; hosts: { hostname: string; wanted: PlainWanted }[]; shown: Compared[] },
): void {
  const rows = [{ hostname: '(all)', wanted: all }, ...hosts].flatMap(({ hostname, wanted }) =>
    CLIENT_KEYS.flatMap((key) => {
      const value = wanted[key];
      return value === undefined ? [] : [[hostname, key, showSetting(value)]];
    }),
  );
  if (rows.length === 0) output.line('nothing is wanted of agents; penguindome client-settings set --help');
  else output.table(['OF', 'SETTING', 'WANTED'], rows);
  if (shown.length === 0) return;
  output.line();
  output.table(
    ['HOST', 'STATE', 'REPORTS', 'LAST ORDER'],
    shown.map((one) => [
      one.hostname,
      STATES[one.state],
      one.state === 'differs' ? showDifferences(one) : '-',
      one.order === null ? '-' : `${one.order.state} (${one.order.id})`,
    ]),
  );
}

const STATES: Record<Comparison['state'], string> = {
  free: 'nothing wanted',
  agrees: 'agrees',
  differs: 'differs',
  'not-reported': 'does not report',
};

function showDifferences({ differences }: Extract<Comparison, { state: 'differs' }>): string {
  return differences
    .map(({ key, reported }) => `${key} ${reported === null ? 'is not told' : showSetting(reported)}`)
    .join('; ');
}

function showSetting(value: string | string[]): string {
  return Array.isArray(value) ? `[${value.join(', ')}]` : value;
}
