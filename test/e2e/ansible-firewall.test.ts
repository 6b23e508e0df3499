import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { stringify } from 'yaml';
import { scratchFolder } from '../support/scratch.ts';
import { changesOf, type Inventory, mustPlay } from './support/ansible.ts';
import { bootMachine } from './support/machine.ts';
import { onMachineWithAnsible } from './support/needs.ts';

/** The role's steps for the firewall alone, as its step `configure` takes them. */
const STEPS = ['firewall.yml', 'no-firewall.yml'].map((tasks_from) => ({
  'ansible.builtin.include_role': { name: 'penguindome_server', tasks_from },
  when: tasks_from === 'firewall.yml' ? 'penguindome_server_firewall' : 'not penguindome_server_firewall',
}));

onMachineWithAnsible(
  "the server's firewall is a table of its own, which leaves those of others, outlives whatever is done with nftables.service, and goes without a trace",
  async (t) => {
    const playbook = join(await scratchFolder(t), 'firewall.yml');
    await writeFile(playbook, stringify([{ hosts: 'penguindome_server', tasks: STEPS }]));
    const machine = await bootMachine(t);
    t.timeout(300_000, 'a machine that hangs');
    const run = (wanted: boolean, check: { check?: true } = {}) => {
      const vars = { penguindome_server_firewall: wanted, penguindome_server_ports: [{ port: 8443 }] };
      const hosts: Inventory['hosts'] = { dome: { machine, groups: ['penguindome_server'] } };
      return mustPlay({ hosts, groupVars: { all: vars } }, { playbook: relative('ansible', playbook), ...check });
    };
    const tables = async () => (await machine.run(['nft', 'list', 'tables'])).trim().split('\n').sort();
    const OURS = 'table inet penguindome';
    const OTHER = 'table inet of-somebody-else';
    await machine.run(['nft', 'add', OTHER]);

    await run(true, { check: true });
    t.deepEqual(await tables(), [OTHER], 'a check changes nothing');
    await run(true);
    t.deepEqual(await tables(), [OTHER, OURS]);
    t.regex(await machine.run(['nft', 'list', 'table', 'inet', 'penguindome']), /policy drop;[\s\S]*8443/);
    t.is(changesOf(await run(true)), 0);
    t.is(changesOf(await run(true, { check: true })), 0);
    t.is(await machine.run(['systemctl', 'is-enabled', 'penguindome-firewall']), 'enabled\n');
    for (const verb of ['restart', 'reload']) {
      await machine.run(['systemctl', verb, 'penguindome-firewall']);
      t.deepEqual(await tables(), [OTHER, OURS], verb);
    }

    // Debian's own settings begin with `flush ruleset`.
    for (const verb of ['start', 'reload', 'restart']) {
      await machine.run(['systemctl', verb, 'nftables']);
      t.deepEqual(await tables(), ['table inet filter', OURS], verb);
    }
    await machine.run(['nft', 'add', OTHER]);
    await run(false);
    t.deepEqual(await tables(), ['table inet filter', OTHER]);
    t.not((await machine.attempt(['systemctl', 'cat', 'penguindome-firewall'])).status, 0);
    t.not((await machine.attempt(['test', '-e', '/etc/penguindome-firewall.nft'])).status, 0);
    t.is(changesOf(await run(false)), 0);
  },
);
