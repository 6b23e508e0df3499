import type { HostAccess } from '../collector.ts';
import { type AptConfig, parseAptConfig } from './parse-apt-config.ts';

/** apt's settings as apt itself puts them together out of all its files; 10 ms. @returns undefined where it cannot be asked */
export async function readAptConfig(host: HostAccess): Promise<AptConfig | undefined> {
  const program = await host.find('apt-config');
  if (program === undefined) return undefined;
  const { code, stdout } = await host.run(program, ['dump']);
  return code === 0 ? parseAptConfig(stdout) : undefined;
}
