import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { changesOf, type Inventory, mustPlay, play } from './support/ansible.ts';
import { bridgeNetwork } from './support/bridge-network.ts';
import { finish } from './support/finish.ts';
import { bootMachine, type Machine } from './support/machine.ts';
import { onMachineWithAnsible } from './support/needs.ts';
import { stopwatch } from './support/stopwatch.ts';
import { buildVersions, type Versions } from './support/versions.ts';

const SHOWN = '/srv/packages';
const NAMES = ['dome.example.org', 'other.example.org'] as const;
const PASSWORD = 'wrong-donkey-cell-staple';
const SMTP_PASSWORD = 'only-the-mail-server-knows';

interface Fleet {
  server: Machine;
  agents: Record<'lap-1' | 'lap-2', Machine>;
  versions: Versions;
  inventory: (vars?: Record<string, unknown>) => Inventory;
}

/** Three machines on one network, that know where packages are and what the server is called, and nothing else. */
async function bootFleet(t: ExecutionContext): Promise<Fleet> {
  const versions = await buildVersions(t);
  const network = await bridgeNetwork(t);
  const boot = async () => {
    const machine = await bootMachine(t, { binds: { [versions.folder]: SHOWN } });
    await machine.run(['sh', '-c', 'rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*']);
    return { machine, address: await network.join(machine) };
  };
  const [server, first, second] = await Promise.all([boot(), boot(), boot()]);
  t.timeout(900_000, 'machines that hang');
  for (const { machine } of [server, first, second]) {
    await machine.run(['sh', '-c', `echo "${server.address} ${NAMES.join(' ')}" >>/etc/hosts`]);
  }
  const agents = { 'lap-1': first.machine, 'lap-2': second.machine };
  for (const [name, machine] of Object.entries(agents)) await machine.run(['hostname', name]);
  const key = await readFile(join(versions.folder, 'penguindome.asc'), 'utf8');
  const repository = { url: `file://${SHOWN}`, key };
  return {
    server: server.machine,
    agents,
    versions,
    inventory: (vars = {}) => ({
      hosts: {
        dome: { machine: server.machine, groups: ['penguindome_server'] },
        'lap-1': { machine: first.machine, groups: ['penguindome_agents'] },
        'lap-2': { machine: second.machine, groups: ['penguindome_agents'] },
      },
      groupVars: {
        all: { penguindome_repository: repository },
        penguindome_server: { ...SERVER, ...vars },
        penguindome_agents: { penguindome_agent_settings: { submit_interval: '60s' }, ...vars },
      },
    }),
  };
}

const SERVER = {
  penguindome_server_host_names: [NAMES[0]],
  penguindome_server_users: [{ name: 'fred', password: PASSWORD }],
  penguindome_server_groups: { admins: ['fred'] },
  penguindome_server_auth: { pipe_create: { groups: ['admins'] }, download_release: { ipranges: ['10.77.0.0/24'] } },
  penguindome_server_delivery: {
    mail: { to: ['admins@example.org'], severity: 'medium' },
    smtp: { host: 'mail.example.org', user: 'dome', from: 'dome@example.org' },
  },
  penguindome_server_smtp_password: SMTP_PASSWORD,
};

async function submittedAt(server: Machine, host: string): Promise<string | undefined> {
  const { status, stdout } = await server.attempt(['penguindome', '--json', 'hosts', 'show', host]);
  return status === 0 ? /"submitted_at": "([^"]+)"/.exec(stdout)?.[1] : undefined;
}

async function versionOf(machine: Machine, name: string): Promise<string> {
  const status = await machine.run(['dpkg-query', '--status', name]);
  return /^Version: (.*)$/m.exec(status)?.[1] ?? '';
}

onMachineWithAnsible(
  'one playbook, from nothing to a server and two agents that report to it; upgraded and changed, none is refused',
  async (t) => {
    const fleet = await bootFleet(t);
    const { server, inventory } = fleet;
    const lap = stopwatch(t);

    const foretold = await mustPlay(inventory(), { check: true, diff: true });
    t.regex(foretold.said, /The server is not installed here yet/);
    t.not((await server.attempt(['test', '-e', '/etc/apt/sources.list.d/penguindome.sources'])).status, 0);
    lap('a check of empty machines');
    await refusesWrongVariables(t, fleet);
    lap('two runs that fail');

    const first = await mustPlay(inventory(), { diff: true, args: ['-vvv'] });
    for (const secret of [PASSWORD, SMTP_PASSWORD]) t.false(first.said.includes(secret), 'no secret is told');
    const journal = await server.run(['journalctl', '--no-pager', '-o', 'cat']);
    t.regex(journal, /Invoked with/, 'Ansible writes to the journal of its machines');
    for (const secret of [PASSWORD, SMTP_PASSWORD]) t.false(journal.includes(secret), 'nor there');
    t.regex(first.said, /^\+public_url: https:\/\/dome\.example\.org:8443/m);
    lap('the run that goes on');
    for (const host of ['lap-1', 'lap-2']) t.truthy(await submittedAt(server, host), `${host} has reported`);
    t.is(await versionOf(server, 'penguindome-server'), fleet.versions.older);
    const same = ['penguindome', 'passwords', 'set', 'fred', '--unless-same', '--password-file', '-'];
    t.regex(await server.run(same, { input: PASSWORD }), /has that password already/);
    const keys = 'stat -c "%U %a" /etc/penguindome/keys /etc/penguindome/keys/smtp-password';
    t.is(await server.run(['sh', '-c', keys]), 'penguindome-server 700\npenguindome-server 600\n');

    const second = await mustPlay(inventory(), { diff: true });
    t.is(changesOf(second), 0, second.said);
    lap('a second run');

    await fleet.versions.release();
    const wanted = await changes();
    const changed = await mustPlay(inventory(wanted), { diff: true });
    t.false(changed.said.includes('PRIVATE KEY'), 'nor is a key');
    lap('a run that upgrades and changes certificates');
    await isAsChanged(t, fleet);

    // What the product writes into the settings by itself is no change.
    await server.run(['penguindome', 'ports', 'renew', '--within', '3650d']);
    const checked = await mustPlay(inventory(wanted), { check: true, diff: true });
    t.is(changesOf(checked), 0, checked.said);
    lap('a check after that');
  },
);

/** One before anything is done, one in the middle; no machine is enrolled with a server that is not there. */
async function refusesWrongVariables(t: ExecutionContext, { inventory }: Fleet): Promise<void> {
  const wrong = { penguindome_server_store: { kind: 'postgres' } };
  const refused = await play(inventory(wrong), { args: ['--limit', 'dome', '--tags', 'preflight'] });
  t.not(refused.status, 0);
  t.regex(refused.said, /value of kind must be one of: embedded, mongo, got: postgres/);
  t.is(refused.recap['dome']?.changed, 0);

  const misspelt = { penguindome_server_delivery: { ...SERVER.penguindome_server_delivery, mial: {} } };
  const brokenOff = await play(inventory(misspelt));
  t.not(brokenOff.status, 0);
  t.regex(brokenOff.said, /the step `configure` failed in "Write the settings":/);
  t.regex(
    brokenOff.said,
    /the new \/etc\/penguindome\/server\.yml:\d+: delivery\.mial: expected .*did you mean mail\?/,
  );
  t.regex(brokenOff.said, /What to do: Correct the variable .* Then run the playbook again/);
  t.deepEqual(Object.keys(brokenOff.recap), ['dome']);
}

/** Newer packages, one more name in the certificate that agents trust, a port with one of the site's own, and a firewall. */
async function changes(): Promise<Record<string, unknown>> {
  const ask = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=given'];
  const made = await finish('openssl', [...ask, '-addext', `subjectAltName=DNS:${NAMES[0]}`, '-keyout', '-']);
  const pem = (what: string) => new RegExp(`-----BEGIN ${what}-----[^-]+-----END ${what}-----`).exec(made.stdout)?.[0];
  return {
    penguindome_agent_version: 'latest',
    penguindome_certificates: [
      { name: 'given', source: 'files', certificate: pem('CERTIFICATE'), key: pem('PRIVATE KEY') },
    ],
    penguindome_server_firewall: true,
    penguindome_server_host_names: [...NAMES],
    penguindome_server_ports: [{ port: 8443 }, { port: 9443, certificate: 'given' }],
    penguindome_server_version: 'latest',
  };
}

/** Whoever looks is a machine that was enrolled before: it trusts what it trusted. */
async function isAsChanged(t: ExecutionContext, { server, agents, versions }: Fleet): Promise<void> {
  const shownAt = async (port: number) => {
    const client = `openssl s_client -connect ${NAMES[0]}:${port} -servername ${NAMES[0]} </dev/null 2>/dev/null`;
    const look = `${client} | openssl x509 -noout -subject -ext subjectAltName`;
    return agents['lap-1'].run(['sh', '-c', look]);
  };
  t.regex(await shownAt(8443), new RegExp(`DNS:${NAMES[0]}, DNS:${NAMES[1]}`));
  t.regex(await shownAt(9443), /CN\s*=\s*given/);
  t.is(await versionOf(server, 'penguindome-server'), versions.newer);
  for (const [name, machine] of Object.entries(agents)) {
    t.is(await versionOf(machine, 'penguindome-agent'), versions.newer);
    const before = await submittedAt(server, name);
    await machine.run(['penguindome-agent', 'run', '--now']);
    t.not(await submittedAt(server, name), before);
    t.regex(await machine.run(['penguindome-agent', 'status']), /All is well/);
  }
  t.notRegex(await server.run(['journalctl', '-u', 'penguindome-server', '-o', 'cat']), /refused|reload-failed/);
  await server.run(['systemd-run', '--quiet', 'python3', '-m', 'http.server', '8081']);
  const reach = (port: number) => ['timeout', '2', 'bash', '-c', `exec 3<>/dev/tcp/${NAMES[0]}/${port}`];
  await server.until('it listens', async () => ((await server.attempt(reach(8081))).status === 0 ? true : undefined));
  t.not((await agents['lap-2'].attempt(reach(8081))).status, 0, 'the firewall keeps everything else shut');
}
