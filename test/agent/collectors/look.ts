import type { ExecutionContext } from 'ava';
import type { Collector, CollectorTools, HostAccess } from '../../../src/agent/collector.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { hostInFolder, memory, plant } from './host-in-folder.ts';

/** What a collector says of a machine that holds these files (see `plant`). */
export async function look(
  t: ExecutionContext,
  collector: Collector,
  files: Readonly<Record<string, string>>,
  { tools = memory(), host = {} }: { tools?: CollectorTools; host?: Partial<HostAccess> } = {},
): Promise<unknown> {
  const folder = await scratchFolder(t);
  await plant(folder, files);
  return collector.collect({ ...hostInFolder(t, folder), ...host }, tools);
}

/** /proc of a process of a system account, unless another is said; process 1 is there too. */
export function running(
  comm: string,
  { pid = 300, uid = 0, more = '' }: { pid?: number; uid?: number; more?: string } = {},
) {
  return {
    '/proc/1/comm': 'systemd\n',
    [`/proc/${pid}/comm`]: `${comm}\n`,
    [`/proc/${pid}/status`]: `Name:\t${comm}\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nNSpid:\t${pid}${more}\n`,
  };
}
