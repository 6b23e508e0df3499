import type { ExecutionContext } from 'ava';
import type { HostAccess } from '../../../../src/agent/collector.ts';
import { type Fact, group } from '../../../../src/agent/collectors/group.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { hostInFolder, memory, plant } from '../host-in-folder.ts';

/** What one fact says of a machine with these files, as it is reported: with its reasons. */
export async function saysOf(
  t: ExecutionContext,
  fact: Fact,
  files: Readonly<Record<string, string>>,
  host: Partial<HostAccess> = {},
): Promise<unknown> {
  const folder = await scratchFolder(t);
  await plant(folder, files);
  return group('network', '', [fact]).collect({ ...hostInFolder(t, folder), ...host }, memory());
}
