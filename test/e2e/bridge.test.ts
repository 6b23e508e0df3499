import type { ExecutionContext } from 'ava';
import * as z from 'zod';
import { rounds } from '../support/soak.ts';
import { allArrive, arrivedNumbers, COUNT } from './support/arrivals.ts';
import { bridgeNetwork, type Network } from './support/bridge-network.ts';
import { install, repositoryBinds } from './support/install.ts';
import { type BootedMachine, bootMachine, type Machine } from './support/machine.ts';
import { onMachinesWithClocks } from './support/needs.ts';
import { buildPackages } from './support/packages.ts';
import { CLOCK_BINDS, setClock } from './support/wrong-clock.ts';

const HOST = 'dome.example.org';
const STATE = '/var/lib/penguindome';
const ROUNDS = rounds(1, 10);

/** The units' own timers, which fire each minute, fire each few seconds; how often something is due then is a setting like any other. */
const OFTEN = '[Timer]\nAccuracySec=100ms\nOnCalendar=\nOnCalendar=*:*:0/4\nRandomizedDelaySec=0\n';
const SETTINGS = `collect_interval: 2s
submit_interval: 2s
plugins:
  local: true
collectors:
  disabled: [boot, hardware, os_updates, packages, protection, updates]
`;

/** One server and three machines that report to it. */
interface Fleet {
  network: Network;
  server: BootedMachine;
  agents: [BootedMachine, BootedMachine, BootedMachine];
}

onMachinesWithClocks(
  'server down, a machine cut off, a wrong clock, a full disk, reboots: status says what is wrong, and all reports arrive in the end, once',
  async (t) => {
    const fleet = await bootFleet(t);
    t.timeout(ROUNDS * 150_000 + 150_000, 'machines that hang');
    await installFleet(fleet);
    for (let round = 0; round < ROUNDS; round++) {
      await serverDown(t, fleet);
      await eachInTrouble(t, fleet);
    }
    await allArrived(t, fleet);
    await versionsAreShown(t, fleet);
  },
);

async function bootFleet(t: ExecutionContext): Promise<Fleet> {
  const { folder } = await buildPackages(t, 'deb');
  const network = await bridgeNetwork(t);
  const boot = () =>
    bootMachine(t, { binds: { ...repositoryBinds(folder), ...CLOCK_BINDS }, filters: true, keeps: true });
  const [server, ...agents] = await Promise.all([boot(), boot(), boot(), boot()]);
  const address = await network.join(server);
  for (const machine of agents) await network.join(machine);
  await Promise.all(
    [server, ...agents].map(async (machine) => {
      // The journal of before a reboot is to be read too.
      await machine.run(['sh', '-c', 'mkdir -p /var/log/journal && systemctl restart systemd-journald']);
      await machine.run(['sh', '-c', `echo ${address} ${HOST} >>/etc/hosts`]);
    }),
  );
  const [, , third] = agents;
  await third.run(['sh', '-c', `mkdir ${STATE} && mount -t tmpfs -o mode=755,size=8m tmpfs ${STATE}`]);
  await Promise.all([install(server, folder, 'penguindome-server'), ...agents.map((one) => prepare(one, folder))]);
  return { network, server, agents };
}

/** Settings first: the units start as soon as they are installed. */
async function prepare(agent: Machine, folder: string): Promise<void> {
  for (const name of ['collect', 'submit'])
    await agent.write(`/etc/systemd/system/penguindome-${name}.timer.d/often.conf`, OFTEN);
  await agent.write('/etc/penguindome/agent.d/50-test.yml', SETTINGS);
  await agent.write('/etc/penguindome/plugins/count.sh', COUNT, '755');
  await install(agent, folder, 'penguindome-agent');
}

async function installFleet({ server, agents }: Fleet): Promise<void> {
  await server.run(['penguindome', 'setup', '--yes', '--host-name', HOST]);
  await server.run(['systemctl', 'start', 'penguindome-server']);
  const uses = `${agents.length}`;
  const token = await server.run([
    'penguindome',
    'enrollment',
    'token',
    '--approve',
    '--uses',
    uses,
    '--expires',
    '1h',
  ]);
  await Promise.all(
    agents.map(async (agent) => {
      await agent.write('/etc/penguindome/.token', token, '600');
      await agent.run(['mv', '/etc/penguindome/.token', '/etc/penguindome/enrollment-token']);
    }),
  );
  await Promise.all(agents.map((agent) => reaches(server, agent, 2)));
}

/** A while without a server, and its machine is started anew: it comes back by itself. */
async function serverDown(t: ExecutionContext, { network, server, agents }: Fleet): Promise<void> {
  await server.run(['systemctl', 'stop', 'penguindome-server']);
  await Promise.all(
    agents.map(async (agent) => {
      const told = await trouble(agent, ['unreachable'], 2);
      t.regex(told, /dome\.example\.org.*see whether this host is on the network and the server runs/);
    }),
  );
  await server.reboot();
  await network.join(server);
  await allIsWell(agents);
}

/** Three machines at once: one without its cable, which is started anew meanwhile, one with a wrong clock, one with a full disk. */
async function eachInTrouble(t: ExecutionContext, { network, server, agents }: Fleet): Promise<void> {
  const [cutOff, wrong, full] = agents;
  await Promise.all([
    (async () => {
      await network.plug(cutOff, 'down');
      t.regex(await trouble(cutOff, ['unreachable', 'timed-out'], 2), /see whether this host is on the network/);
      await cutOff.reboot();
      const { waiting } = await statusOf(cutOff);
      t.true(waiting >= 2, 'what waited is there after the reboot');
      await trouble(cutOff, ['unreachable', 'timed-out'], waiting + 1);
      await network.join(cutOff);
    })(),
    (async () => {
      await setClock(wrong, '+2h');
      t.regex(
        await trouble(wrong, ['clock-skew'], 2),
        /clock is wrong: this host says .*, the server .*set this host's clock/,
      );
      await setClock(wrong, undefined);
    })(),
    (async () => {
      await fill(full);
      t.regex(
        await trouble(full, ['disk-full'], 0),
        /the disk is full: no space left in \/var\/lib\/penguindome.*make room/,
      );
      const user = await full.attempt(['runuser', '-u', 'nobody', '--', 'penguindome-agent', 'status']);
      t.regex(user.stdout, /WRONG: the disk is full/, 'users see it too, though nothing new can be written for them');
      await full.until('a run of the collector fails for it', async () => {
        // What was handed over is removed, and the next report would fit into that room.
        await fill(full);
        return /cannot write .*the disk is full/.test(await journalOf(full, 'penguindome-collect')) ? true : undefined;
      });
      await full.run(['rm', `${STATE}/full`]);
    })(),
  ]);
  await allIsWell(agents);
  t.is((await server.run(['systemctl', 'is-active', 'penguindome-server'])).trim(), 'active');
}

async function fill(machine: Machine): Promise<void> {
  await machine.run(['sh', '-c', `head -c 64M /dev/zero 2>/dev/null >>${STATE}/full || true`]);
}

const status = z.object({
  waiting: z.number(),
  bad: z.number(),
  dropped: z.number(),
  problems: z.array(z.object({ code: z.string(), what: z.string(), advice: z.string() })),
});

async function statusOf(agent: Machine) {
  const { stdout } = await agent.attempt(['penguindome-agent', '--json', 'status']);
  return status.parse(JSON.parse(stdout));
}

/** Waits until status names one of these, and so many reports wait. @returns what it says, and what it tells to do */
async function trouble(agent: Machine, codes: string[], waiting: number): Promise<string> {
  return agent.until(`status says ${codes.join(' or ')}`, async () => {
    const said = await statusOf(agent);
    const found = said.problems.find(({ code }) => codes.includes(code));
    return found === undefined || said.waiting < waiting ? undefined : `${found.what}: ${found.advice}`;
  });
}

async function allIsWell(agents: Machine[]): Promise<void> {
  await Promise.all(
    agents.map((agent) =>
      agent.until('all is well', async () => {
        const { status: exit, stdout } = await agent.attempt(['penguindome-agent', 'status']);
        return exit === 0 && stdout.includes('All is well') && /waiting +0 reports/.test(stdout) ? true : undefined;
      }),
    ),
  );
}

async function journalOf(machine: Machine, unit: string): Promise<string> {
  return machine.run(['journalctl', '--no-pager', '-o', 'cat', '-u', unit]);
}

const nameOf = async (machine: Machine) => (await machine.run(['uname', '-n'])).trim();

async function reaches(server: Machine, agent: Machine, least: number): Promise<void> {
  const hostname = await nameOf(agent);
  await server.until(`the server has report ${least}`, async () =>
    ((await arrivedNumbers(server, hostname)).at(-1) ?? 0) >= least ? true : undefined,
  );
}

/** What each machine says that it put into its spool is what the server has of it, once each and in order. */
async function allArrived(t: ExecutionContext, { server, agents }: Fleet): Promise<void> {
  for (const agent of agents) {
    await agent.run(['systemctl', 'stop', 'penguindome-agent.target', 'penguindome-collect.service']);
    await agent.run(['penguindome-agent', 'submit']);
    const { waiting, bad, dropped } = await statusOf(agent);
    t.deepEqual({ waiting, bad, dropped }, { waiting: 0, bad: 0, dropped: 0 });
    const { arrived, spooled } = await allArrive(server, agent, await nameOf(agent));
    t.log(`${spooled} reports were collected, ${arrived.length} arrived; the last one is number ${arrived.at(-1)}`);
    t.deepEqual(
      arrived,
      [...new Set(arrived)].sort((a, b) => a - b),
      'each once, in order',
    );
    t.true(spooled > 5);
  }
  const open = await server.run(['penguindome', '--json', 'issues', 'list']);
  t.notRegex(open, /cloned-identity|duplicate-hostname|downgraded-identity/);
  t.notRegex(await journalOf(server, 'penguindome-server'), /"submit\.gone"|request\.failed/);
}

async function versionsAreShown(t: ExecutionContext, { server, agents }: Fleet): Promise<void> {
  const [agent] = agents;
  const version = (await agent.run(['penguindome-agent', '--version'])).trim();
  const rows = z
    .array(z.object({ agent_version: z.string() }))
    .parse(JSON.parse(await server.run(['penguindome', '--json', 'hosts', 'list', '--agent', version])));
  t.is(rows.length, agents.length);
}
