import * as z from 'zod';
import type { Machine } from './machine.ts';

/** A plugin that numbers what was looked at: a report that never arrives is a number that the server has not, one that is stored twice a number that comes again. */
export const COUNT = `#!/bin/sh
cd "$PENGUINDOME_STATE_DIRECTORY" || exit 1
read -r n <n || n=0
echo $((n + 1)) >n.new && mv n.new n
echo $((n + 1))
`;

const changes = z.array(z.object({ key: z.string(), old: z.unknown().optional(), new: z.unknown().optional() }));

/** The numbers that the server has of a host, in the order in which they came; the first report of all changes nothing, and is seen with the second. */
export async function arrivedNumbers(server: Machine, hostname: string): Promise<number[]> {
  const listed = ['penguindome', '--json', 'hosts', 'history', hostname, '--limit', '10000'];
  const { status, stdout } = await server.attempt(listed);
  if (status !== 0) return [];
  const found = changes.parse(JSON.parse(stdout)).filter(({ key }) => key === 'plugins.count');
  return [...found.slice(-1).map(({ old }) => old), ...found.reverse().map(({ new: now }) => now)].map(Number);
}

/** Reports that the machine's collector says it put into the spool. */
async function spooledReports(machine: Machine): Promise<Set<string>> {
  const said = await machine.run(['journalctl', '--no-pager', '-o', 'cat', '-u', 'penguindome-collect.service']);
  return new Set([...said.matchAll(/^collected .* \(report (\S+)\)$/gm)].map(([, id = '']) => id));
}

/** Waits until the server has at least as many as the machine put into its spool so far. @returns what it has, and how many that were */
export async function allArrive(
  server: Machine,
  machine: Machine,
  hostname: string,
): Promise<{ arrived: number[]; spooled: number }> {
  const { size: spooled } = await spooledReports(machine);
  const arrived = await server.until(`${spooled} reports of ${hostname}`, async () => {
    const numbers = await arrivedNumbers(server, hostname);
    return numbers.length >= spooled ? numbers : undefined;
  });
  return { arrived, spooled };
}
