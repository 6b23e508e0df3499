import { seconds } from '../../core/duration.ts';
import { type Collector, UNKNOWN } from '../collector.ts';
import { factsOf } from './lenient.ts';
import { programRuns } from './processes.ts';

const PROGRAM = '/opt/eset/RemoteAdministrator/Agent/ERAAgent';

export const eraagent = {
  name: 'eraagent',
  describe: "whether ESET's management agent is there, and runs",
  timeout: seconds(30),
  collect: async (host) => {
    const installed = (await factsOf(host, PROGRAM)) !== undefined;
    return { installed, running: installed ? ((await programRuns(host, PROGRAM)) ?? UNKNOWN) : false };
  },
} satisfies Collector;
