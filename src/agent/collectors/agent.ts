import { seconds } from '../../core/duration.ts';
import type { Collector } from '../collector.ts';

/** So that the server sees which hosts run an old agent. What it says changes with an upgrade, and with nothing else. */
export const agent = {
  name: 'agent',
  describe: 'version of this agent',
  timeout: seconds(10),
  collect: async (_host, { version }) => ({ version }),
} satisfies Collector;
