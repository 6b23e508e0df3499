import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finish } from './finish.ts';
import type { Machine } from './machine.ts';

/** A machine as an inventory has it. */
interface InventoryHost {
  machine: Machine;
  groups: string[];
  vars?: Record<string, unknown>;
}

/** Machines by the names that the inventory gives them, and what counts for all of them. */
export interface Inventory {
  hosts: Record<string, InventoryHost>;
  /** group, or `all` → variables */
  groupVars: Record<string, Record<string, unknown>>;
}

/** One line of a play's recap. */
export interface Recap {
  ok: number;
  changed: number;
  unreachable: number;
  failed: number;
  skipped: number;
}

export interface Played {
  status: number;
  /** all that was said, on standard output and error */
  said: string;
  /** by the inventory's name */
  recap: Record<string, Recap>;
}

export interface Play {
  /** of the folder ansible/; site.yml where absent */
  playbook?: string;
  check?: true;
  diff?: true;
  /** further arguments of ansible-playbook */
  args?: string[];
}

const FOLDER = 'ansible';

/** Runs ansible-playbook as it is run in the folder ansible/, against booted machines: their processes are reached by nsenter, without ssh. */
export async function play(
  inventory: Inventory,
  { playbook = 'site.yml', check, diff, args = [] }: Play = {},
): Promise<Played> {
  const scratch = await mkdtemp(join(process.env['PENGUINDOME_TEST_SCRATCH'] ?? tmpdir(), 'ansible-'));
  const file = join(scratch, 'inventory.json');
  // a secret of a test may stand in it, as in a vault
  await writeFile(file, JSON.stringify(inventoryFile(inventory)), { mode: 0o600 });
  const environment = {
    ANSIBLE_CONFIG: join(process.cwd(), FOLDER, 'ansible.cfg'),
    ANSIBLE_LOCAL_TEMP: join(scratch, 'tmp'),
    ANSIBLE_NOCOLOR: '1',
    ANSIBLE_PYTHON_INTERPRETER: '/usr/bin/python3',
    LC_ALL: 'C.UTF-8',
  };
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const flags = [...(check ? ['--check'] : []), ...(diff ? ['--diff'] : []), ...args];
  const command = ['ansible-playbook', '--inventory', file, join(process.cwd(), FOLDER, playbook), ...flags];
  const { status, stdout, stderr } = await finish('env', [...settings, ...command]);
  return { status, said: stdout + stderr, recap: readRecap(stdout) };
}

/** As `play`; throws, with all that was said, unless every host is well. */
export async function mustPlay(inventory: Inventory, options: Play = {}): Promise<Played> {
  const played = await play(inventory, options);
  if (played.status !== 0) throw new Error(`ansible-playbook: exit status ${played.status}\n${played.said}`);
  return played;
}

/** How many things changed, on all hosts together. */
export function changesOf({ recap }: Played): number {
  return Object.values(recap).reduce((sum, { changed }) => sum + changed, 0);
}

function inventoryFile({ hosts, groupVars }: Inventory): unknown {
  const groups = [...new Set(Object.values(hosts).flatMap(({ groups: of }) => of))];
  const members = (group: string) => Object.entries(hosts).filter(([, { groups: of }]) => of.includes(group));
  const children = groups.map((group) => [
    group,
    { hosts: Object.fromEntries(members(group).map(([name]) => [name, {}])), vars: groupVars[group] ?? {} },
  ]);
  const all = Object.entries(hosts).map(([name, { machine, vars = {} }]) => [name, { ...reachOf(machine), ...vars }]);
  return {
    all: { hosts: Object.fromEntries(all), vars: groupVars['all'] ?? {}, children: Object.fromEntries(children) },
  };
}

/** root already: sudo would only take time. */
function reachOf({ leader }: Machine): Record<string, unknown> {
  return { ansible_connection: 'community.docker.nsenter', ansible_nsenter_pid: leader, ansible_become: false };
}

function readRecap(stdout: string): Record<string, Recap> {
  const [, lines = ''] = stdout.split(/^PLAY RECAP .*$/m);
  const rows = [...lines.matchAll(/^(\S+)\s+: (.*)$/gm)].map(([, name = '', counts = '']) => {
    const of = (what: string) => Number(new RegExp(`\\b${what}=(\\d+)`).exec(counts)?.[1] ?? Number.NaN);
    return [
      name,
      {
        ok: of('ok'),
        changed: of('changed'),
        unreachable: of('unreachable'),
        failed: of('failed'),
        skipped: of('skipped'),
      },
    ] as const;
  });
  return Object.fromEntries(rows);
}
