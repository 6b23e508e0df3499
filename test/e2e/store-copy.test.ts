import type { ExecutionContext } from 'ava';
import * as z from 'zod';
import { install, repositoryBinds } from './support/install.ts';
import { bootMachine, type Machine } from './support/machine.ts';
import { MONGOD_BINDS, MONGOD_UNIT, startMongod } from './support/mongod.ts';
import { onMachineWithPackagesAndMongod } from './support/needs.ts';
import { buildPackages, commandsOf } from './support/packages.ts';

const PAGE = 'docs/install.md';
const HOST = 'dome.example.org';

onMachineWithPackagesAndMongod(
  'with MongoDB as its store a server takes reports and audits; as the page says the store moves to one file and back, and is the same each time',
  async (t) => {
    const { folder } = await buildPackages(t, 'deb');
    const machine = await bootMachine(t, { binds: { ...repositoryBinds(folder), ...MONGOD_BINDS }, filters: true });
    t.timeout(240_000, 'a machine that hangs');
    await startMongod(machine);
    await machine.run(['sh', '-c', `echo 127.0.0.1 ${HOST} >>/etc/hosts`]);
    await install(machine, folder, 'penguindome-server', 'penguindome-agent');
    await type(machine, await commandsOf(PAGE, 'The server with MongoDB'));
    t.regex(await machine.run(['cat', '/etc/penguindome/server.yml']), /kind: mongo/);
    // By hand alone: what is compared must not change meanwhile.
    await machine.run(['systemctl', 'stop', 'penguindome-agent.target', 'penguindome-audit.timer']);
    const token = await machine.run([
      'penguindome',
      'enrollment',
      'token',
      '--approve',
      '--uses',
      '1',
      '--expires',
      '1h',
    ]);
    await machine.write('/root/token', token, '600');
    await machine.run(['penguindome-agent', 'enroll', '--token-file', '/root/token']);
    await reports(t, machine);
    await machine.run(['systemctl', 'start', 'penguindome-audit.service']);
    t.regex(await machine.run(['penguindome', '--json', 'issues', 'list']), /"firewall-disabled"/);

    await moves(t, machine, await commandsOf(PAGE, 'From MongoDB to one file'));
    await machine.run(['systemctl', 'stop', MONGOD_UNIT]);
    t.is(
      (await machine.run(['stat', '-c', '%U:%G', '/var/lib/penguindome-server/store/penguindome.db'])).trim(),
      'penguindome-server:penguindome-server',
    );
    await machine.write('/etc/ssh/sshd_config.d/00-test.conf', 'PermitRootLogin yes\n');
    await reports(t, machine);
    await machine.run(['systemctl', 'start', 'penguindome-audit.service']);
    t.regex(await machine.run(['penguindome', '--json', 'issues', 'list']), /"ssh-root-password-authentication"/);

    await machine.run(['systemctl', 'start', MONGOD_UNIT]);
    await moves(t, machine, await commandsOf(PAGE, 'From one file to MongoDB'));
    await machine.run(['mv', '/var/lib/penguindome-server/store', '/root/old-store']);
    await machine.run(['rm', '/etc/ssh/sshd_config.d/00-test.conf']);
    await reports(t, machine);
    await machine.run(['systemctl', 'start', 'penguindome-audit.service']);
    const open = await machine.run(['penguindome', '--json', 'issues', 'list']);
    t.notRegex(open, /"ssh-root-password-authentication"/);
    t.notRegex(open, /cloned-identity/);
  },
);

/** As root types it. */
async function type(machine: Machine, lines: string[]): Promise<void> {
  for (const line of lines) await machine.run(['bash', '-c', line]);
}

/** One round of the agent: the server has the report then. */
async function reports(t: ExecutionContext, machine: Machine): Promise<void> {
  await machine.run(['penguindome-agent', 'collect']);
  t.regex(await machine.run(['penguindome-agent', 'submit']), /1 report handed over, 0 waiting/);
}

/** The page's lines, and before the server starts on the new store, that it holds what the old one did, and nothing else. */
async function moves(t: ExecutionContext, machine: Machine, lines: string[]): Promise<void> {
  const start = lines.findIndex((line) => line.startsWith('systemctl start'));
  t.is(start, 3);
  await type(machine, lines.slice(0, 1));
  const before = await everything(machine);
  t.true(before.documents.length > 10);
  await type(machine, lines.slice(1, start));
  const after = await everything(machine);
  t.deepEqual(after.documents, before.documents);
  t.not(after.epoch, before.epoch, 'each store has a life of its own');
  await type(machine, lines.slice(start));
}

const first = z.object({ epoch: z.string() });

/** Of the store that the settings name, in whatever order; MongoDB forgets signatures by itself. */
async function everything(machine: Machine): Promise<{ epoch: string; documents: string[] }> {
  const text = await machine.run(['sh', '-c', 'penguindome backup - | gunzip']);
  const [header = '', ...lines] = text.trimEnd().split('\n');
  const documents = lines.slice(0, -1).filter((line) => !line.startsWith('{"collection":"signatures"'));
  return { epoch: first.parse(JSON.parse(header)).epoch, documents: documents.map(withSortedKeys).sort() };
}

function withSortedKeys(line: string): string {
  return JSON.stringify(JSON.parse(line), (_, value) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
