import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { factsOf } from '../lenient.ts';
import { runningPrograms } from './processes.ts';
import { REMOTE_ACCESS_TOOLS, type RemoteAccessTool } from './remote-access-list.ts';

export const remoteAccessTools: Fact = { name: 'remote_access_tools', look: lookForTools };

/** Those that are there, by name: an AppImage may run without being installed. */
async function lookForTools(host: HostAccess): Promise<unknown> {
  const running = await runningPrograms(host);
  if (running === undefined && (await factsOf(host, '/usr/bin')) === undefined)
    return unknown('neither files nor processes are to be seen');
  const tools = await Promise.all(REMOTE_ACCESS_TOOLS.map((tool) => lookForTool(host, tool, running)));
  return tools.flatMap((tool) => tool ?? []);
}

async function lookForTool(
  host: HostAccess,
  { name, kind, files, processes }: RemoteAccessTool,
  running: Set<string> | undefined,
) {
  const installed = (await Promise.all(files.map((path) => factsOf(host, path)))).some((facts) => facts !== undefined);
  const runs = processes.some((process) => running?.has(process));
  if (!installed && !runs) return undefined;
  return { name, kind, installed, running: running === undefined ? unknown('processes of others are hidden') : runs };
}
