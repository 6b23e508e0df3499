import type { HostAccess } from './collector.ts';

/** Comes and goes with a device, and says nothing about the machine's starting or stopping. */
const IGNORED = new Set(['bluetooth.target']);

/**
 * The active targets, sorted and joined: two looks that differ mean that the machine was starting or stopping meanwhile.
 * @returns undefined where systemd does not run, or does not say
 */
export async function activeTargets(host: Pick<HostAccess, 'find' | 'run' | 'stat'>): Promise<string | undefined> {
  if ((await host.stat('/run/systemd/system')) === undefined) return undefined;
  const systemctl = await host.find('systemctl');
  if (systemctl === undefined) return undefined;
  const args = ['list-units', '--type=target', '--state=active', '--plain', '--no-legend', '--no-pager'];
  const { code, stdout } = await host.run(systemctl, args, { timeout: 10_000 });
  if (code !== 0) return undefined;
  const names = stdout.split('\n').flatMap((line) => /^(\S+\.target)\s/.exec(line)?.[1] ?? []);
  return names
    .filter((name) => !IGNORED.has(name))
    .sort()
    .join(' ');
}
