import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { finish } from '../../e2e/support/finish.ts';
import { scratchFolder } from '../../support/scratch.ts';

/** Whether playbooks can be played on this machine. */
export const hasAnsible = spawnSync('sh', ['-c', 'command -v ansible-playbook'], { stdio: 'ignore' }).status === 0;

export interface PlayHere {
  /** inventory group → names of its hosts, all of them this machine */
  groups: Record<string, string[]>;
  /** inventory name → variables of that host alone */
  hostVars?: Record<string, Record<string, unknown>>;
  /** over all others, as with -e; in a file, as a vault's are */
  vars?: Record<string, unknown>;
  args?: string[];
  env?: Record<string, string>;
}

/** Plays a playbook on this machine, as the user that runs the test. @param playbook a path, or a file of ansible/ */
export async function playHere(
  t: ExecutionContext,
  playbook: string,
  { groups, hostVars = {}, vars = {}, args = [], env = {} }: PlayHere,
): Promise<{ status: number; said: string }> {
  const scratch = await scratchFolder(t);
  const host = { ansible_connection: 'local', ansible_python_interpreter: '/usr/bin/python3' };
  const hostsOf = (names: string[]) => ({
    hosts: Object.fromEntries(names.map((name) => [name, { ...host, ...hostVars[name] }])),
  });
  const children = Object.entries(groups).map(([group, names]) => [group, hostsOf(names)]);
  const [inventory, given] = [join(scratch, 'inventory.json'), join(scratch, 'vars.json')];
  await writeFile(inventory, JSON.stringify({ all: { children: Object.fromEntries(children) } }));
  await writeFile(given, JSON.stringify({ ansible_become: false, ...vars }), { mode: 0o600 });
  const environment = {
    ANSIBLE_CONFIG: join(process.cwd(), 'ansible/ansible.cfg'),
    ANSIBLE_LOCAL_TEMP: join(scratch, 'tmp'),
    ANSIBLE_NOCOLOR: '1',
    ANSIBLE_ROLES_PATH: join(process.cwd(), 'ansible/roles'),
    LC_ALL: 'C.UTF-8',
    ...env,
  };
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const file = playbook.startsWith('/') ? playbook : join(process.cwd(), 'ansible', playbook);
  const command = ['ansible-playbook', '--inventory', inventory, file, '-e', `@${given}`, ...args];
  const { status, stdout, stderr } = await finish('env', [...settings, ...command]);
  return { status, said: stdout + stderr };
}
