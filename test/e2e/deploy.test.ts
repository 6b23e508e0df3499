import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { scratchFolder } from '../support/scratch.ts';
import { finish } from './support/finish.ts';
import { configMapOf, podOf, readManifests } from './support/manifests.ts';
import { onMachineWithPackages } from './support/needs.ts';
import { buildPackages, commandsOf, run } from './support/packages.ts';
import { type Cluster, type Pod, startPod } from './support/pod.ts';
import { rootfs } from './support/rootfs.ts';

const PAGE = 'docs/deploy.md';
const HOST = 'dome.example.org';

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
    image: await imageOf(t, folder),
    hosts: `127.0.0.1 localhost ${HOST}\n`,
    configMaps: {},
    secrets,
    claims: join(folder, 'claims'),
  };
}

/** What the container image has in it: Debian with its Node, and our package. */
async function imageOf(t: ExecutionContext, folder: string): Promise<string> {
  const { built } = await buildPackages(t, 'deb');
  const [deb = ''] = (await readdir(join(built, 'deb'))).filter((name) => /^penguindome-server_.*\.deb$/.test(name));
  await run('dpkg-deb', '-x', join(built, 'deb', deb), join(folder, 'image'));
  return `${join(folder, 'image')}:${await rootfs('trixie')}`;
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
  t.regex(status, /^Uid:\t10001\t10001\t10001\t10001$/m);
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
  const command = ['sh', '-c', 'penguindome restore --yes -'];
  const file = await finish('sh', ['-c', 'base64 "$1"', 'sh', join(backups, name)]);
  const { status, stderr } = await pod.exec('operate', ['sh', '-c', `base64 -d | ${command[2]}`], {
    input: file.stdout,
  });
  t.is(status, 0, stderr);
  t.regex((await pod.exec('operate', ['penguindome', 'hosts', 'list'])).stdout, new RegExp(host));
}
