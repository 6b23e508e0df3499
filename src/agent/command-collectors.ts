import { OperatorError } from '../core/errors.ts';
import { jsonText } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { whatRuns } from './gather.ts';
import { gathererOf } from './gatherer-of.ts';
import { runCollector } from './run-collector.ts';
import { runPlugin } from './run-plugin.ts';
import type { Session } from './session.ts';
import { consentText } from './tell-consent.ts';

export async function commandList(session: Session): Promise<number> {
  const { output } = session;
  const settings = await session.settings();
  const gatherer = await gathererOf(session, settings);
  const { collectors, plugins, refused } = await whatRuns(gatherer);
  const rows = [
    ...gatherer.collectors.map((one) => ({
      name: one.name,
      kind: 'built-in',
      enabled: collectors.includes(one),
      describe: one.describe,
    })),
    ...plugins.map(({ name, path }) => ({ name, kind: 'plugin', enabled: true, describe: path })),
    ...settings.plugins.disabled.map((name) => ({
      name,
      kind: 'plugin',
      enabled: false,
      describe: 'switched off in the settings',
    })),
  ];
  output.json({ collectors: rows, refused });
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  for (const { name, kind, enabled, describe } of rows) {
    output.line(`${name.padEnd(width)}  ${kind.padEnd(8)}  ${enabled ? 'on ' : 'off'}  ${describe}`);
  }
  for (const { name, reason } of refused) output.note(`${name} is not run: ${reason}`);
  return EXIT.ok;
}

/** Runs one, switched off or not, and prints its result as it would be reported. */
export async function commandRunOne(session: Session, name: string): Promise<number> {
  const { context } = session;
  const settings = await session.settings();
  const gatherer = await gathererOf(session, settings);
  const everything = { collectors: { disabled: [], enabled: [name] }, plugins: { ...settings.plugins, disabled: [] } };
  const { collectors, plugins, refused } = await whatRuns({ ...gatherer, settings: everything });
  const collector = collectors.find((one) => one.name === name);
  const plugin = plugins.find((one) => one.name === name);
  if (collector === undefined && plugin === undefined) {
    const why =
      refused.find((one) => one.plugin === name)?.reason ??
      'there is no such collector or plugin (penguindome-agent collectors list)';
    throw new OperatorError(`cannot run ${name}: ${why}`, { exitCode: EXIT.usage });
  }
  const { geolocation } = settings.collectors;
  if (name === 'geolocation' && geolocation !== undefined) session.output.note(consentText(geolocation.url));
  const result =
    collector !== undefined
      ? await runCollector(collector, gatherer, context.signal)
      : plugin !== undefined
        ? await runPlugin(plugin, gatherer, context.signal)
        : undefined;
  if (result === undefined) return EXIT.failed;
  context.write(jsonText(JSON.parse(result.text)));
  if (result.failure === undefined) return EXIT.ok;
  session.output.note(`${name} failed: ${result.failure}`);
  return EXIT.failed;
}
