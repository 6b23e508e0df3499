import type { HostAccess } from '../collector.ts';
import { type PacmanConf, parsePacmanConf } from './parse-pacman-conf.ts';

/** pacman's settings as it puts them together itself, with all that its file includes. @returns undefined where it cannot be asked */
export async function readPacmanConf(host: HostAccess): Promise<PacmanConf | undefined> {
  const program = await host.find('pacman-conf');
  if (program === undefined) return undefined;
  const { code, stdout } = await host.run(program, []);
  return code === 0 ? parsePacmanConf(stdout) : undefined;
}
