import type { AgentSettings } from '../settings/agent-settings.ts';
import { failed, type Result } from './body.ts';
import type { Collector, CollectorTools, HostAccess } from './collector.ts';
import { findPlugins, type Plugin, type PluginFolder, type RefusedPlugin } from './find-plugins.ts';
import { fitReport } from './fit-report.ts';
import type { PluginRoom } from './plugin-room.ts';
import { runCollector } from './run-collector.ts';
import { NOT_RUN, runPlugin } from './run-plugin.ts';
import { activeTargets } from './systemd-targets.ts';

/** What looking at this machine takes. */
export interface Gatherer {
  settings: Pick<AgentSettings, 'collectors' | 'plugins'>;
  collectors: readonly Collector[];
  /** in the order in which a name is looked up */
  pluginFolders: readonly PluginFolder[];
  /** effective user id */
  uid: number;
  /** environment of plugins, but for what is each one's own */
  env: Readonly<Record<string, string>>;
  roomFor(plugin: string): Promise<PluginRoom>;
  /** a line that a plugin logs */
  say(line: string): void;
  hostFor(signal: AbortSignal): HostAccess;
  toolsFor(collector: string): CollectorTools;
  signal: AbortSignal;
}

export interface Gathered {
  /** sorted by name */
  results: Result[];
  /** executables that were not run, and why */
  refused: { name: string; reason: string }[];
  /** the machine was starting or stopping meanwhile: the results are not to be trusted */
  unsettled: boolean;
}

/** Runs all collectors and plugins that are switched on. */
export async function gather(gatherer: Gatherer): Promise<Gathered> {
  const { settings, signal } = gatherer;
  const host = gatherer.hostFor(signal);
  const before = await activeTargets(host);
  const { collectors, plugins, refused } = await whatRuns(gatherer);
  const [built, plugged] = await Promise.all([
    Promise.all(collectors.map((collector) => runCollector(collector, gatherer, signal))),
    sideBySide(settings.plugins.at_once, plugins, (plugin) => runPlugin(plugin, gatherer, signal)),
  ]);
  const ran = [...built, ...plugged];
  const all = [...ran, ...resultsOfRefused(refused, ran, settings)].sort((a, b) => (a.name < b.name ? -1 : 1));
  const after = await activeTargets(host);
  return {
    results: fitReport(all),
    refused: refused.map(({ name, reason }) => ({ name, reason })),
    unsettled: before !== undefined && after !== undefined && before !== after,
  };
}

/** A plugin that may not be run is told where its result would be, unless another one stands there: whoever waits for it reads why. */
function resultsOfRefused(
  refused: readonly RefusedPlugin[],
  ran: readonly Result[],
  { plugins: { disabled } }: Gatherer['settings'],
): Result[] {
  const taken = new Set([...ran.map(({ name }) => name), ...disabled]);
  return refused.flatMap(({ plugin, reason }) => {
    if (plugin === undefined || taken.has(plugin)) return [];
    taken.add(plugin);
    const { name, text } = failed(plugin, { returncode: NOT_RUN, stdout: '', stderr: reason, reason });
    // Without `failure`: that it was refused is told once.
    return [{ name, text }];
  });
}

/** What is switched on; a collector that is switched off leaves its name to a plugin. */
export async function whatRuns({
  settings,
  collectors,
  pluginFolders,
  uid,
}: Pick<Gatherer, 'settings' | 'collectors' | 'pluginFolders' | 'uid'>) {
  const { disabled, enabled: asked } = settings.collectors;
  const isWanted = ({ name, optIn }: Collector) =>
    optIn === undefined || asked.includes(name) || (optIn !== true && optIn(settings.collectors));
  const enabled = collectors.filter((one) => !disabled.includes(one.name) && isWanted(one));
  const { plugins, refused } = await findPlugins(pluginFolders, uid, new Set(enabled.map(({ name }) => name)));
  return {
    collectors: enabled,
    plugins: plugins.filter(({ name }) => !settings.plugins.disabled.includes(name)),
    refused,
  };
}

async function sideBySide(
  count: number,
  plugins: readonly Plugin[],
  run: (plugin: Plugin) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const left = [...plugins];
  const worker = async () => {
    for (let plugin = left.shift(); plugin !== undefined; plugin = left.shift()) results.push(await run(plugin));
  };
  await Promise.all(Array.from({ length: Math.min(count, plugins.length) }, worker));
  return results;
}
