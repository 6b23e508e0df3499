import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { generateKey } from 'openpgp';
import { scratchFolder } from '../support/scratch.ts';
import { TRY_AGAIN } from './support/agent.ts';
import { ADDRESSES, connect } from './support/connect.ts';
import { containerImage } from './support/container-image.ts';
import { finish } from './support/finish.ts';
import type { Machine } from './support/machine.ts';
import { configMapOf, podOf, readManifests } from './support/manifests.ts';
import { onMachineWithPackages, onPodsWithMongod } from './support/needs.ts';
import { buildPackages, commandsOf, run } from './support/packages.ts';
import { type Cluster, type Pod, startPod } from './support/pod.ts';
import { startSystem } from './support/system.ts';

const PAGE = 'docs/deploy.md';
const SHOWN = '/srv/packages';
const HOST = 'dome.example.org';

/** A system on which the site's repository is to be had, and no other. */
async function systemFor(t: ExecutionContext): Promise<Machine> {
  const { folder } = await buildPackages(t, 'deb');
  const system = await startSystem(t, [folder, SHOWN]);
  await system.run(['sh', '-c', 'rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*']);
  const sources = await readFile(join(folder, 'deb/penguindome.sources'), 'utf8');
  await system.write('/root/penguindome.sources', sources.replace(/^URIs: .*$/m, `URIs: file:${SHOWN}/deb`));
  return system;
}

/** As penguindome-server.service does: that user, and no rights of root's. */
async function startServer(system: Machine): Promise<void> {
  const user = '--reuid penguindome-server --regid penguindome-server --init-groups --inh-caps=-all --no-new-privs';
  await system.run([
    'sh',
    '-c',
    `setsid setpriv ${user} penguindome-server >/root/server.log 2>&1 </dev/null & echo $! >/root/server.pid`,
  ]);
  const ask = "fetch('http://127.0.0.1:5000/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))";
  const ready = async () => ((await system.attempt(['node', '-e', ask])).status === 0 ? true : undefined);
  await system.until('the server is ready', ready).catch(async (error) => {
    throw new Error(`${error}\n${await system.run(['cat', '/root/server.log'])}`);
  });
}

/** As root types it, one line after the other. @returns what the last one said */
async function type(machine: Machine, lines: string[]): Promise<string> {
  let said = '';
  for (const line of lines) said = await machine.run(['bash', '-c', `export DEBIAN_FRONTEND=noninteractive; ${line}`]);
  return said;
}

const INSTALL = [
  'install -m 644 penguindome.sources /etc/apt/sources.list.d/',
  'apt-get update',
  'apt-get install -y penguindome-server',
];

/** Copies files from one machine to another, as scp through a third place would. */
async function carry(from: Machine, to: Machine, ...names: string[]): Promise<void> {
  for (const name of names) {
    await to.run(['sh', '-c', 'base64 -d >"$1"', 'sh', `/root/${name}`], {
      input: await from.run(['base64', `/root/${name}`]),
    });
  }
}

/** What an operator sees of them, whenever. */
const issuesOf = async (machine: Machine) =>
  JSON.parse(await machine.run(['penguindome', '--json', 'issues', 'list', '--host', 'lap-17']));

const fingerprints = async (machine: Machine) =>
  [...(await machine.run(['penguindome', '--json', 'keys', 'list'])).matchAll(/"fingerprint": "([^"]+)"/g)].map(
    ([, found]) => found,
  );

onMachineWithPackages(
  'the restore drill brings back a server that was lost, and its host goes on with the key it has',
  async (t) => {
    const [old, laptop] = [await systemFor(t), await systemFor(t)];
    await connect(old, laptop);
    await laptop.run(['sh', '-c', `echo ${ADDRESSES[0]} ${HOST} >>/etc/hosts; hostname lap-17`]);
    await type(old, [...INSTALL, `penguindome setup --yes --host-name ${HOST}`]);
    await startServer(old);
    await type(laptop, [...INSTALL.slice(0, 2), 'apt-get install -y penguindome-agent']);
    const token = await old.run(['penguindome', 'enrollment', 'token', '--approve', '--uses', '5']);
    await laptop.write('/root/token', token, '600');
    await type(laptop, [
      'penguindome-agent enroll --token-file token',
      'penguindome-agent collect',
      'penguindome-agent submit',
    ]);
    const keys = await generateKey({ type: 'ecc', curve: 'ed25519Legacy', userIDs: [{ name: 'operator' }] });
    await old.write('/root/operator.asc', keys.publicKey);
    await old.write('/etc/penguindome/checks.d/firewall.yaml', 'overrides: firewall-disabled\nseverity: high\n');
    await type(old, [
      'penguindome issues audit',
      'penguindome issues snooze --host lap-17 --issue-name firewall-disabled --days 3',
      "penguindome command true --host lap-17 --why 'before the loss'",
      ...(await commandsOf(PAGE, 'What to back up')),
    ]);
    const before = { keys: await fingerprints(old), issues: await issuesOf(old) };
    t.true(before.keys.length >= 2);

    const fresh = await systemFor(t);
    await carry(old, fresh, 'whole.gz.gpg', 'lists.tar');
    await old.run(['sh', '-c', 'kill $(cat server.pid); ip link del cable0']);
    await laptop.run(['penguindome-agent', 'collect']);
    t.is((await laptop.attempt(['penguindome-agent', 'submit'])).status, TRY_AGAIN, 'nobody is there');

    await fresh.write('/root/operator-secret.asc', keys.privateKey, '600');
    await type(fresh, INSTALL);
    const waiting = await type(fresh, await commandsOf(PAGE, 'Restore drill'));
    t.notRegex(waiting, /lap-17/, 'nobody waits for approval');
    await fresh.run(['rm', 'operator-secret.asc']);
    await startServer(fresh);
    await connect(fresh, laptop);
    await isWhole(t, fresh, before);
    const said = await laptop.run(['penguindome-agent', 'submit']);
    t.regex(said, /1 report handed over, 0 waiting/);
    t.regex(said, /1 order came/, 'what was ordered before the loss');
    t.regex(await laptop.run(['penguindome-agent', 'status']), /lap-17/);
    const again = await laptop.attempt(['penguindome-agent', 'enroll', '--new-key', '--token-file', '/root/token']);
    t.not(again.status, 0, 'tokens of the backup are void');
    await fresh.run(['sh', '-c', 'kill $(cat server.pid)']);
  },
);

/** What was there before, and whose it is. */
async function isWhole(
  t: ExecutionContext,
  fresh: Machine,
  before: { keys: unknown[]; issues: unknown },
): Promise<void> {
  t.deepEqual(await fingerprints(fresh), before.keys);
  t.deepEqual(await issuesOf(fresh), before.issues);
  t.regex(await fresh.run(['penguindome', 'checks', 'show', 'firewall-disabled']), /high/);
  t.regex(await fresh.run(['penguindome', 'log', 'list', '--command', 'issues snooze']), /snooze/);
  t.regex(await fresh.run(['penguindome', 'orders', 'list', '--open']), /lap-17|command/);
  const kept = ['/etc/penguindome/pki/ca.key', '/etc/penguindome/keys/order.asc', '/etc/penguindome/keys/answer.key'];
  t.deepEqual((await fresh.run(['stat', '-c', '%U %a', ...kept])).trim().split('\n'), [
    'root 600',
    'root 600',
    'penguindome-server 600',
  ]);
}

/** The folder that setup made, and the Secrets that the page makes of it. */
async function siteOf(t: ExecutionContext): Promise<Cluster> {
  const folder = await scratchFolder(t);
  for (const line of await commandsOf(PAGE, 'Kubernetes')) {
    await run('sh', '-euc', `cd "$1"; PATH=$2:$PATH; ${line}`, 'sh', folder, join(process.cwd(), 'build'));
  }
  const page = await readFile(PAGE, 'utf8');
  const secrets: Cluster['secrets'] = {};
  for (const [line, name = ''] of page.matchAll(/kubectl -n penguindome create secret generic (\S+) .*/g)) {
    const files = [...line.matchAll(/--from-file=(\S+)/g)].map(([, path = '']) => path);
    secrets[name] = Object.fromEntries(
      await Promise.all(
        files.map(async (path) => [path.split('/').at(-1) ?? '', await readFile(join(folder, path), 'utf8')]),
      ),
    );
  }
  t.deepEqual(Object.keys(secrets), ['penguindome', 'penguindome-orders']);
  t.false(JSON.stringify(secrets).includes('ca.key'));
  await mkdir(join(folder, 'claims'));
  return {
    image: await containerImage(t),
    hosts: `127.0.0.1 localhost ${HOST}\n`,
    configMaps: {},
    secrets,
    claims: join(folder, 'claims'),
  };
}

/** The lines of the page that run something in a container, as `kubectl exec` does. */
async function inContainer(pod: Pod, words: string, input = ''): Promise<string> {
  const [, container = '', command = ''] =
    /^kubectl -n penguindome exec (?:-i )?penguindome-0 -c (\S+) -- (.+?)(?: [<>] \S+)?$/.exec(words) ?? [];
  const { status, stdout, stderr } = await pod.exec(container, command.split(' '), { input });
  if (status !== 0) throw new Error(`${words}: exit status ${status}\n${stdout}${stderr}`);
  return stdout;
}

/** An agent of this machine's, on the pod's network. */
function agentOn(pod: Pod, hosts: string, state: string) {
  const script = 'mount --bind "$1" /etc/hosts; shift; exec "$@"';
  return (args: string[], input = '') => {
    const program = [process.execPath, 'build/penguindome-agent', '--state', state, ...args];
    const [command = '', ...rest] = pod.onNetwork('unshare', '--mount', 'sh', '-euc', script, 'sh', hosts, ...program);
    return finish(command, rest, { input });
  };
}

onMachineWithPackages(
  'pods made of the manifests serve an agent, audit and back up, with no rights; a new pod goes on',
  async (t) => {
    const cluster = await siteOf(t);
    t.timeout(300_000, 'a pod that hangs');
    const objects = await readManifests('penguindome.yaml', 'embedded.yaml');
    cluster.configMaps['penguindome'] = configMapOf(objects, 'penguindome');
    const spec = podOf(objects, 'StatefulSet', 'penguindome');
    const pod = await startPod(t, cluster, spec);
    await pod.untilReady('server', 'startupProbe');
    for (const probe of ['readinessProbe', 'livenessProbe'] as const)
      t.is((await pod.probe('server', probe)).status, 0);

    const page = await readFile(PAGE, 'utf8');
    const [tell = '', list = ''] = page.match(/kubectl .* -- penguindome (enrollment token|hosts list).*/g) ?? [];
    const folder = await scratchFolder(t);
    await writeFile(join(folder, 'hosts'), cluster.hosts);
    const agent = agentOn(pod, join(folder, 'hosts'), join(folder, 'agent'));
    const enrolled = await agent(['enroll'], await inContainer(pod, tell));
    t.is(enrolled.status, 0, enrolled.stderr);
    t.is((await agent(['collect'])).status, 0);
    const submitted = await agent(['submit']);
    t.regex(submitted.stdout, /1 report handed over/, submitted.stderr);
    const host = (await run('uname', '-n')).trim();
    t.regex(await inContainer(pod, list), new RegExp(host));
    await hasNoRights(t, pod);
    await givesOrders(t, pod, host);

    for (const name of ['audit', 'backup']) {
      const job = await startPod(t, cluster, podOf(objects, 'CronJob', `penguindome-${name}`));
      const { status, said } = await job.ended(name);
      t.is(status, 0, `${name}: ${said}`);
    }
    const backups = await readdir(join(cluster.claims, 'penguindome-backups'));
    t.is(backups.filter((file) => /Z\.(gz|lists\.tar)$/.test(file)).length, 2, backups.join(' '));
    t.regex(
      await inContainer(pod, 'kubectl -n penguindome exec penguindome-0 -c operate -- penguindome issues list'),
      new RegExp(host),
    );

    await pod.stop();
    t.is((await pod.ended('server')).status, 0, 'it ends when it is told to');
    const next = await startPod(t, cluster, spec);
    await next.untilReady('server', 'startupProbe');
    const again = agentOn(next, join(folder, 'hosts'), join(folder, 'agent'));
    t.is((await again(['collect'])).status, 0);
    t.regex((await again(['submit'])).stdout, /1 report handed over, 0 waiting/);
    await restoresInside(t, next, join(cluster.claims, 'penguindome-backups'), host);
    await next.stop();
  },
);

async function hasNoRights(t: ExecutionContext, pod: Pod): Promise<void> {
  const status = await readFile(`/proc/${pod.pid('server')}/status`, 'utf8');
  t.regex(status, /^Uid:\t960\t960\t960\t960$/m);
  t.regex(status, /^CapEff:\t0{16}$/m);
  t.regex(status, /^NoNewPrivs:\t1$/m);
  for (const [container, command] of [
    ['server', 'touch /etc/x'],
    ['server', 'touch /usr/x'],
    ['server', 'cat /run/penguindome/pki/ca.crt'],
    ['server', 'cat /run/penguindome/keys/order.asc'],
    ['operate', 'cat /run/penguindome/keys/ca.key'],
    ['operate', 'touch /etc/penguindome/server.yml'],
  ] as const) {
    t.not((await pod.exec(container, command.split(' '))).status, 0, `${container}: ${command}`);
  }
  t.is((await pod.exec('operate', ['penguindome', 'log', 'verify'])).status, 0);
}

/** Only where the key for it is. */
async function givesOrders(t: ExecutionContext, pod: Pod, host: string): Promise<void> {
  const command = ['penguindome', 'command', 'true', '--host', host];
  t.not((await pod.exec('server', command)).status, 0, 'the server cannot order anything');
  const { status, stderr } = await pod.exec('operate', command);
  t.is(status, 0, stderr);
}

/** As the page says it, through the container. */
async function restoresInside(t: ExecutionContext, pod: Pod, backups: string, host: string): Promise<void> {
  const [name = ''] = (await readdir(backups)).filter((file) => file.endsWith('Z.gz'));
  const input = (await readFile(join(backups, name))).toString('base64');
  const restore = ['sh', '-c', 'base64 -d | penguindome restore --yes -'];
  const { status, stdout, stderr } = await pod.exec('operate', restore, { input });
  t.is(status, 0, stderr);
  t.regex(stdout, /^[1-9]\d* documents are restored/m);
  t.regex((await pod.exec('operate', ['penguindome', 'hosts', 'list'])).stdout, new RegExp(host));
}

/** The test's own replica set has one member, and neither TLS nor users; what else mongo.yaml says stays. */
function ownMongo(settings: string, port: string): string {
  const own = settings
    .replace(/hosts:\n( +- mongodb-\d\S+\n){3}/, `hosts: ['127.0.0.1:${port}']\n`)
    .replace(/^ +(user|password_file|tls|ca): \S+\n/gm, '')
    .replace('database: penguindome', `database: pods-${process.pid}`);
  if (!own.includes(port) || own.includes('password')) throw new Error(`mongo.yaml is not as expected:\n${own}`);
  return own;
}

/** Shows a port of this machine on the pod's network, under the same address: a replica set names its members by it. */
function bringPort(t: ExecutionContext, pod: Pod, port: string, socket: string): void {
  const [command = '', ...args] = pod.onNetwork(
    'socat',
    `TCP-LISTEN:${port},bind=127.0.0.1,fork`,
    `UNIX-CONNECT:${socket}`,
  );
  const ends = [
    spawn('socat', [`UNIX-LISTEN:${socket},fork`, `TCP:127.0.0.1:${port}`], { stdio: 'ignore' }),
    spawn(command, args, { stdio: 'ignore' }),
  ];
  t.teardown(() => {
    for (const end of ends) end.kill();
  });
}

onPodsWithMongod(
  'two servers of the StatefulSet share one MongoDB: what one of them knows, the other does',
  async (t) => {
    const cluster = await siteOf(t);
    t.timeout(300_000, 'a pod that hangs');
    const objects = await readManifests('penguindome.yaml', 'mongo.yaml');
    const port = new URL(process.env['PENGUINDOME_TEST_MONGO_REPLICA_SET'] ?? '').port;
    const settings = configMapOf(objects, 'penguindome')['server.yml'] ?? '';
    cluster.configMaps['penguindome'] = { 'server.yml': ownMongo(settings, port) };
    const spec = podOf(objects, 'StatefulSet', 'penguindome');
    const folder = await scratchFolder(t);
    await writeFile(join(folder, 'hosts'), cluster.hosts);
    const start = async (name: string) => {
      const pod = await startPod(t, cluster, spec, name);
      t.not((await pod.probe('server', 'readinessProbe')).status, 0, 'not ready before its store is there');
      bringPort(t, pod, port, join(folder, name));
      await pod.untilReady('server', 'startupProbe');
      return pod;
    };
    const [first, second] = [await start('penguindome-0'), await start('penguindome-1')];
    const state = join(folder, 'agent');
    const [withFirst, withSecond] = [first, second].map((pod) => agentOn(pod, join(folder, 'hosts'), state));
    const token = await first.exec('operate', ['penguindome', 'enrollment', 'token', '--approve', '--uses', '1']);
    t.is((await withFirst?.(['enroll'], token.stdout))?.status, 0);
    t.is((await withFirst?.(['collect']))?.status, 0);
    t.regex((await withSecond?.(['submit']))?.stdout ?? '', /1 report handed over, 0 waiting/);
    const host = (await run('uname', '-n')).trim();
    t.regex((await first.exec('operate', ['penguindome', 'hosts', 'list'])).stdout, new RegExp(host));
    await first.stop();
    t.is((await withFirst?.(['collect']))?.status, 0);
    t.regex((await withSecond?.(['submit']))?.stdout ?? '', /1 report handed over, 0 waiting/);
    await second.stop();
  },
);
