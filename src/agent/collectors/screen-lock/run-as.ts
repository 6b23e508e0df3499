import { seconds } from '../../../core/duration.ts';
import type { CommandResult, HostAccess } from '../../collector.ts';
import type { GraphicalUser } from './lock.ts';

/** bytes: a user may have the program say what they like */
const LARGEST = 64 * 1024;

/**
 * Runs a program as the user, in the user's session: root is told other settings than the user has, on the user's own bus too.
 * @throws where it is not there, or we may not
 */
export async function runAs(
  host: HostAccess,
  { uid, gid, env }: GraphicalUser,
  program: string,
  args: readonly string[],
): Promise<CommandResult> {
  if (!host.isRoot) throw new Error('only root can look into the session of somebody else');
  const path = await host.find(program);
  if (path === undefined) throw new Error(`${program} is not installed`);
  const bus = env['DBUS_SESSION_BUS_ADDRESS'];
  // Programs that are told `disabled:` have no bus, which says nothing about their session.
  const address = bus === undefined || bus.startsWith('disabled') ? `unix:path=/run/user/${uid}/bus` : bus;
  const result = await host.run(path, args, {
    as: { uid, gid },
    env: { ...env, DBUS_SESSION_BUS_ADDRESS: address },
    timeout: seconds(10),
    maxOutput: LARGEST,
  });
  if (result.problem !== undefined) throw new Error(`cannot run ${program}: ${result.problem}`);
  return result;
}
