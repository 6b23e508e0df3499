import type { ExecutionContext } from 'ava';
import type { CollectorTools, HostAccess } from '../../../src/agent/collector.ts';
import { type Fact, group } from '../../../src/agent/collectors/group.ts';
import { isFields, type Value } from '../../../src/core/value.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { hostInFolder, memory, plant } from './host-in-folder.ts';

/** What a fact tells of a machine that has only these files; reasons beside it, and undefined where it has no place there. */
export interface Told {
  value: Value | undefined;
  reasons: Value | undefined;
}

/** @param change what is different about the host, such as its release; it is root where nothing is said */
export async function tellOf(
  t: ExecutionContext,
  fact: Fact,
  files: Readonly<Record<string, string>>,
  change: Partial<HostAccess> = {},
  tools: CollectorTools = memory(),
): Promise<Told> {
  const folder = await scratchFolder(t);
  await plant(folder, files);
  return tell(fact, { ...hostInFolder(t, folder), isRoot: true, ...change }, tools);
}

export async function tell(fact: Fact, host: HostAccess, tools: CollectorTools = memory()): Promise<Told> {
  const answer: unknown = await group('things', '', [fact]).collect(host, tools);
  return isFields(answer)
    ? { value: answer[fact.name], reasons: answer['reasons'] }
    : { value: undefined, reasons: undefined };
}
