// The server as a container image, in OCI's image layout: one layer, made without any container tool.
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { output } from '../packaging/package/output.mjs';
import { bootstrap, quoted } from './bootstrap.mjs';
import { ACCOUNTS } from './list.mjs';

const START = fileURLToPath(new URL('container/start', import.meta.url));
const START_AT = '/usr/lib/penguindome/container-start';
const STATE = '/var/lib/penguindome';
const { id: USER } = ACCOUNTS['penguindome-server'];
/** As Go and OCI call what Node calls otherwise. */
const ARCHITECTURE = { x64: 'amd64', arm64: 'arm64' }[process.arch];

/** @returns what was made */
export async function container({ deb, epoch, output: folder, sources, version }) {
  const layout = join(resolve(folder), `penguindome-container-${version}`);
  const blobs = join(layout, 'blobs/sha256');
  await rm(layout, { recursive: true, force: true });
  await mkdir(blobs, { recursive: true });
  const tar = join(layout, 'layer.tar');
  bootstrap(tar, { packages: ['ca-certificates', 'nodejs'], install: [resolve(deb)], sources, epoch, hooks: HOOKS });
  addDev(tar, epoch);
  const layer = await readFile(tar);
  await rm(tar);
  const put = async (mediaType, bytes) => {
    const digest = sha256(bytes);
    await writeFile(join(blobs, digest), bytes);
    return { mediaType: `application/vnd.oci.image.${mediaType}`, digest: `sha256:${digest}`, size: bytes.length };
  };
  const packed = await put('layer.v1.tar+gzip', gzipSync(layer, { level: 6 }));
  const config = await put('config.v1+json', json(configOf(layer, { epoch, version })));
  const parts = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config, layers: [packed] };
  const manifest = await put('manifest.v1+json', json(parts));
  const named = {
    ...manifest,
    annotations: { 'org.opencontainers.image.ref.name': version },
    platform: { architecture: ARCHITECTURE, os: 'linux' },
  };
  await writeFile(join(layout, 'index.json'), json({ schemaVersion: 2, manifests: [named] }));
  await writeFile(join(layout, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
  return [{ path: layout, bytes: packed.size + config.size + manifest.size }];
}

/** Empty: device nodes are the runtime's, which cannot make a folder for them in a root that is read-only. */
function addDev(tar, epoch) {
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--mode=755', `--mtime=@${epoch}`];
  output('tar', ['--append', `--file=${tar}`, ...owner, '--no-recursion', '--transform=s|.*|./dev|', '/dev']);
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const json = (value) => Buffer.from(JSON.stringify(value));

const HOOKS = [
  `--customize-hook=install -D -m 755 ${quoted(START)} "$1${START_AT}"`,
  `--customize-hook=install -d -m 750 -o ${USER} -g ${USER} "$1${STATE}"`,
  '--skip=output/dev',
  '--customize-hook=rm -rf "$1"/var/log/* "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin "$1"/var/cache/apt/archives/partial "$1"/var/cache/ldconfig/aux-cache',
  '--customize-hook=rm -f "$1"/etc/hostname "$1"/etc/resolv.conf "$1"/var/cache/debconf/*-old "$1"/var/lib/dpkg/status-old',
];

/** https://github.com/opencontainers/image-spec/blob/main/config.md */
function configOf(layer, { epoch, version }) {
  const created = new Date(epoch * 1000).toISOString();
  return {
    created,
    architecture: ARCHITECTURE,
    os: 'linux',
    config: {
      Entrypoint: [START_AT],
      Env: ['PATH=/usr/bin:/bin', `PENGUINDOME_DIR=${STATE}`],
      ExposedPorts: { '8443/tcp': {} },
      Labels: { 'org.opencontainers.image.title': 'PenguinDome server', 'org.opencontainers.image.version': version },
      StopSignal: 'SIGTERM',
      User: `${USER}:${USER}`,
      Volumes: { [STATE]: {} },
      WorkingDir: STATE,
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
    history: [{ created, created_by: 'npm run appliance -- container' }],
  };
}
