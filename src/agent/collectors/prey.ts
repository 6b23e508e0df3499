import { seconds } from '../../core/duration.ts';
import { type Collector, UNKNOWN } from '../collector.ts';
import { processes, programRuns } from './processes.ts';

/** The original asked `systemctl show`, which says yes to every name; what counts is that the agent runs. */
const PROGRAMS = ['/usr/lib/prey/current/bin/node', '/usr/lib/prey/current/bin/prey'];

export const prey = {
  name: 'prey',
  describe: 'whether the anti-theft agent Prey runs',
  timeout: seconds(30),
  optIn: true,
  collect: async (host) => {
    const runs = await Promise.all(PROGRAMS.map((path) => programRuns(host, path)));
    const named = (await processes(host))?.some(({ comm }) => comm === 'prx' || comm === 'prey-agent');
    if (named || runs.includes(true)) return { running: true };
    return { running: named === undefined || runs.includes(undefined) ? UNKNOWN : false };
  },
} satisfies Collector;
