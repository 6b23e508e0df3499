import type { HostAccess } from '../../collector.ts';
import { unknown } from '../group.ts';
import { versionsOf } from './installed.ts';

const LIST = ['list', '--system', '--columns=application,branch,version'];

/** Of the whole system: a user's own are private. Runtimes have a branch and often no version. @returns undefined without flatpak */
export async function flatpaks(host: HostAccess): Promise<unknown> {
  const flatpak = await host.find('flatpak');
  if (flatpak === undefined) return undefined;
  const { code, stdout } = await host.run(flatpak, LIST);
  if (code !== 0) return unknown('flatpak does not answer');
  const rows = stdout.split('\n').map((line) => line.split('\t').map((cell) => cell.trim()));
  return versionsOf(
    rows.flatMap(([name = '', branch = '', version = '']) =>
      name === '' ? [] : [{ name, version: version === '' ? branch : version, architecture: '' }],
    ),
  );
}
