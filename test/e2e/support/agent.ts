import type { Machine } from './machine.ts';
import { program, type Site } from './site.ts';

/** Exit status of the agent: nothing is lost, nothing is done. */
export const TRY_AGAIN = 75;

/** `penguindome-agent` in a machine, run as root on its real folders. */
export interface AgentOnMachine {
  /** with these arguments; throws unless it exits with 0 */
  run(...args: string[]): Promise<string>;
  /** a whole round */
  collectAndSubmit(): Promise<void>;
  hostname: string;
}

/** Enrols the machine by a one-use token, as an operator would. */
export async function enrollAgent(machine: Machine, site: Site): Promise<AgentOnMachine> {
  const run = (...args: string[]) => machine.run([program('penguindome-agent'), ...args]);
  const token = await site.dome('enrollment', 'token', '--approve', '--uses', '1', '--expires', '1h');
  await machine.write('/root/token', token, '600');
  await run('enroll', '--token-file', '/root/token');
  return {
    run,
    async collectAndSubmit() {
      await run('collect');
      await run('submit');
    },
    hostname: (await machine.run(['uname', '-n'])).trim(),
  };
}
