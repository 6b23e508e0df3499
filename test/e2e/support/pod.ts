import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { scratchFolder } from '../../support/scratch.ts';
import type { ContainerImage } from './container-image.ts';
import { type Finished, finish, type RunOptions } from './finish.ts';
import type { Container, PodSpec, Volume } from './manifests.ts';

/** What a cluster would hold: a kubelet makes pods of it, and so does `startPod`, with the kernel's own means. */
export interface Cluster {
  /** of every container */
  image: ContainerImage;
  /** /etc/hosts of every pod, in place of the cluster's DNS */
  hosts: string;
  configMaps: Record<string, Record<string, string>>;
  secrets: Record<string, Record<string, string>>;
  /** of volumes that outlive pods */
  claims: string;
}

export interface Pod {
  /** Runs it in the container, as its user and with its environment: `kubectl exec`. */
  exec(container: string, command: readonly string[], options?: RunOptions): Promise<Finished>;
  /** Asks the probe of this name until it passes. */
  untilReady(container: string, probe: Probe): Promise<void>;
  probe(container: string, probe: Probe): Promise<Finished>;
  /** process 1 of the container, as this machine numbers it */
  pid(container: string): number;
  /** exit status of the container, and all that it printed */
  ended(container: string): Promise<{ status: number | null; said: string }>;
  /** SIGTERM to every process 1, as when a pod is deleted */
  stop(): Promise<void>;
  /** a command of this machine's, on the pod's network */
  onNetwork(...command: string[]): string[];
}

export type Probe = 'startupProbe' | 'readinessProbe' | 'livenessProbe';

/** A root that is read-only from the first moment, the volumes in it, no rights and none to be had. What is missing is the runtime's seccomp filter. */
const RUN = `
  set -eu
  work=$1 image=$2 user=$3 groups=$4; shift 4
  mount -t tmpfs -o mode=755 tmpfs "$work"
  mkdir "$work/upper" "$work/work" "$work/root"
  root=$work/root
  mount -t overlay overlay -o "lowerdir=$image,upperdir=$work/upper,workdir=$work/work" "$root"
  while read -r how source target; do
    if [ -d "$source" ]; then mkdir -p "$root$target"; else mkdir -p "$(dirname "$root$target")"; : >>"$root$target"; fi
    mount --bind "$source" "$root$target"
    [ "$how" = rw ] || mount -o remount,bind,ro "$root$target"
  done <"$work.mounts"
  mkdir -p "$root/dev" "$root/proc"
  mount -t proc proc "$root/proc"
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  for device in null zero full random urandom tty; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  mount -o remount,bind,ro "$root"
  exec setpriv --no-new-privs chroot --userspec="$user" --groups="$groups" "$root" /usr/bin/env -i "$@"
`;

/** @returns once its init containers have done their work, one after the other, and its containers were started */
export async function startPod(
  t: ExecutionContext,
  cluster: Cluster,
  spec: PodSpec,
  name = 'penguindome-0',
): Promise<Pod> {
  const folder = await scratchFolder(t);
  const network = spawn('unshare', ['--net', 'sh', '-c', 'ip link set lo up && echo up && exec sleep infinity']);
  t.teardown(() => network.kill('SIGKILL'));
  await once(network.stdout, 'data');
  const onNetwork = (...command: string[]) => ['nsenter', `--net=/proc/${network.pid}/ns/net`, ...command];
  const volumes = new Map<string, string>();
  for (const volume of spec.volumes)
    volumes.set(volume.name, await makeVolume(join(folder, volume.name), volume, { cluster, spec }));
  const start = (container: Container) =>
    startContainer(t, { cluster, spec, name, container, volumes, folder, onNetwork });
  for (const container of spec.initContainers) {
    const { status, said } = await (await start(container)).ended;
    if (status !== 0) throw new Error(`${container.name}: exit status ${status}\n${said}`);
  }
  const running = new Map<string, Running>();
  for (const container of spec.containers) running.set(container.name, await start(container));
  return podOf(running, { spec, onNetwork });
}

function podOf(
  running: Map<string, Running>,
  { spec, onNetwork }: { spec: PodSpec; onNetwork: Pod['onNetwork'] },
): Pod {
  const of = (name: string): Running => {
    const found = running.get(name);
    if (found === undefined) throw new Error(`there is no container ${name}`);
    return found;
  };
  const { runAsUser, runAsGroup } = spec.securityContext;
  const exec: Pod['exec'] = (name, command, options) => {
    const { pid, environment } = of(name);
    const inside = ['-t', String(pid), '-m', '-p', '-n', '-r', '-w', '-S', String(runAsUser), '-G', String(runAsGroup)];
    return finish('nsenter', [...inside, '--', '/usr/bin/env', '-i', ...environment, ...command], options);
  };
  const probe: Pod['probe'] = (name, which) => {
    const wanted = of(name).container[which];
    if (wanted === undefined) throw new Error(`${name} has no ${which}`);
    return exec(name, wanted.exec.command);
  };
  return {
    exec,
    probe,
    async untilReady(name, which) {
      for (let tries = 0; tries < 100; tries++) {
        if ((await probe(name, which)).status === 0) return;
        if (of(name).child.exitCode !== null) break;
        await sleep(200);
      }
      throw new Error(`${which} of ${name} does not pass: ${of(name).said()}`);
    },
    pid: (name) => of(name).pid,
    ended: (name) => of(name).ended,
    async stop() {
      for (const { pid } of running.values()) process.kill(pid, 'SIGTERM');
      await Promise.all([...running.values()].map(({ ended }) => ended));
    },
    onNetwork,
  };
}

interface Running {
  container: Container;
  child: ChildProcess;
  pid: number;
  environment: string[];
  said(): string;
  ended: Promise<{ status: number | null; said: string }>;
}

interface Parts {
  cluster: Cluster;
  spec: PodSpec;
  /** of the pod: claims of a StatefulSet's pods have it in theirs */
  name: string;
  container: Container;
  volumes: Map<string, string>;
  folder: string;
  onNetwork: Pod['onNetwork'];
}

async function startContainer(t: ExecutionContext, parts: Parts): Promise<Running> {
  const { cluster, spec, container, folder, onNetwork } = parts;
  const { runAsUser, runAsGroup, fsGroup } = spec.securityContext;
  const work = await mkdtemp(join(folder, `${container.name}-`));
  await writeFile(`${work}.mounts`, await mountsOf(parts));
  const environment = ['HOME=/', ...cluster.image.Env, ...container.env.map(({ name, value }) => `${name}=${value}`)];
  const isolate = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private'];
  const [command = '', ...args] = onNetwork(...isolate, 'sh', '-c', RUN, 'sh', work, cluster.image.root);
  const identity = [`${runAsUser}:${runAsGroup}`, String(fsGroup)];
  const child = spawn(command, [...args, ...identity, ...environment, ...container.command], { stdio: 'pipe' });
  t.teardown(() => child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  const ended = new Promise<{ status: number | null; said: string }>((resolve) => {
    child.on('close', (status) => resolve({ status, said }));
  });
  return { container, child, pid: await firstChild(child), environment, said: () => said, ended };
}

/** unshare's own child, which becomes the container's process 1. */
async function firstChild({ pid }: ChildProcess): Promise<number> {
  for (let tries = 0; tries < 500; tries++) {
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => undefined);
    if (children === undefined) return 0;
    const [first] = children.split(' ').filter(Boolean);
    if (first !== undefined) return Number(first);
    await sleep(5);
  }
  throw new Error('the container has no process');
}

async function mountsOf({ cluster, name: pod, container, volumes, folder, spec }: Parts): Promise<string> {
  const hosts = join(folder, 'hosts');
  await writeFile(hosts, cluster.hosts);
  const lines = [`ro ${hosts} /etc/hosts`];
  for (const { name, mountPath, subPath, readOnly } of container.volumeMounts) {
    const volume = volumes.get(name) ?? claimFolder(cluster, `${name}-${pod}`);
    const source = subPath === undefined ? volume : join(volume, subPath);
    if (volumes.get(name) === undefined) await makeClaim(volume, spec);
    if (subPath !== undefined) await mkdir(source, { recursive: true });
    lines.push(`${readOnly ? 'ro' : 'rw'} ${source} ${mountPath}`);
  }
  return `${lines.join('\n')}\n`;
}

const claimFolder = (cluster: Cluster, name: string) => join(cluster.claims, name);

/** As the kubelet leaves a volume: root's, the pod's group may write, and what is made in it belongs to that group. */
async function makeClaim(folder: string, { securityContext: { fsGroup } }: PodSpec): Promise<string> {
  if ((await mkdir(folder, { recursive: true })) === undefined) return folder;
  await chown(folder, 0, fsGroup);
  await chmod(folder, 0o2775);
  return folder;
}

async function makeVolume(
  folder: string,
  volume: Volume,
  { cluster, spec }: { cluster: Cluster; spec: PodSpec },
): Promise<string> {
  const { configMap, secret, persistentVolumeClaim } = volume;
  const { fsGroup } = spec.securityContext;
  if (persistentVolumeClaim !== undefined)
    return makeClaim(claimFolder(cluster, persistentVolumeClaim.claimName), spec);
  await mkdir(folder);
  await chown(folder, 0, fsGroup);
  await chmod(folder, 0o2777);
  if (configMap !== undefined) {
    const files = cluster.configMaps[configMap.name];
    if (files === undefined && !configMap.optional) throw new Error(`there is no ConfigMap ${configMap.name}`);
    await project(folder, files ?? {}, { mode: 0o644, group: fsGroup });
  }
  if (secret !== undefined) {
    const files = cluster.secrets[secret.secretName];
    if (files === undefined) throw new Error(`there is no Secret ${secret.secretName}`);
    await project(folder, files, { mode: secret.defaultMode, group: fsGroup });
  }
  return folder;
}

/** Files as links through `..data`, which is how the kubelet changes all of them at once. */
async function project(
  folder: string,
  files: Record<string, string>,
  { mode, group }: { mode: number; group: number },
): Promise<void> {
  const version = '..2026_11_29_21_00_00.1';
  await mkdir(join(folder, version));
  await symlink(version, join(folder, '..data'));
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, version, name);
    await writeFile(path, content);
    await chown(path, 0, group);
    await chmod(path, mode);
    await symlink(join('..data', name), join(folder, name));
  }
}
