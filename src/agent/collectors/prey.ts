import { seconds } from '../../core/duration.ts';
import { type Collector, UNKNOWN } from '../collector.ts';
import { anyRuns } from './processes.ts';

/** `current` in there is a link to one of its versions, and the program is Prey's own Node. */
const FOLDER = '/usr/lib/prey/';
const NAMES = ['node', 'prey', 'prey-agent', 'prx'];

/** The original asked `systemctl show`, which says yes to every name; what counts is that the agent runs. */
export const prey = {
  name: 'prey',
  describe: 'whether the anti-theft agent Prey runs',
  timeout: seconds(30),
  optIn: true,
  collect: async (host) => ({ running: (await anyRuns(host, NAMES, (path) => path.startsWith(FOLDER))) ?? UNKNOWN }),
} satisfies Collector;
