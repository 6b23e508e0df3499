import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import * as z from 'zod';
import { npmRunAppliance } from './appliance.ts';
import { madeOnce } from './made-once.ts';
import { run } from './packages.ts';

const descriptor = z.object({ mediaType: z.string(), digest: z.string().startsWith('sha256:'), size: z.number() });
const index = z.object({ schemaVersion: z.literal(2), manifests: z.tuple([descriptor]) });
const manifest = z.object({ config: descriptor, layers: z.tuple([descriptor]) });
const config = z.object({
  architecture: z.string(),
  config: z.object({
    Entrypoint: z.array(z.string()).min(1),
    Env: z.array(z.string()),
    User: z.string(),
    Volumes: z.record(z.string(), z.object({})),
    WorkingDir: z.string(),
  }),
  rootfs: z.object({ diff_ids: z.tuple([z.string().startsWith('sha256:')]) }),
});

export type ContainerImage = z.output<typeof config>['config'] & {
  /** its files, unpacked. Shared: nobody writes below */
  root: string;
  /** the same as it was built */
  layout: string;
};

/** `npm run appliance -- container`, unpacked as a runtime does it, once for all test files of a run. */
export async function containerImage(t: ExecutionContext): Promise<ContainerImage> {
  t.timeout(15 * 60_000, 'building an image');
  const folder = await madeOnce('container', async (scratch) => {
    const said = await npmRunAppliance(t, scratch, 'container');
    t.log(said.trim());
    const [layout = ''] = said.split('  ');
    await run('mv', layout, layoutIn(scratch));
    await unpack(scratch);
  });
  const { parsed } = await readLayout(layoutIn(folder));
  return { ...parsed.config, root: rootIn(folder), layout: layoutIn(folder) };
}

const layoutIn = (folder: string) => join(folder, 'layout');
const rootIn = (folder: string) => join(folder, 'root');

/** @throws where the layer is not what the image's configuration says that it unpacks to */
async function unpack(folder: string): Promise<void> {
  const { parsed, layer } = await readLayout(layoutIn(folder));
  const tar = join(folder, 'layer.tar');
  const script = 'mkdir "$1"; gzip -dc "$2" >"$3"; tar -x --numeric-owner -C "$1" -f "$3"';
  await run('sh', '-euc', script, 'sh', rootIn(folder), layer, tar);
  hold(parsed.rootfs.diff_ids[0], await readFile(tar), tar);
  await rm(tar);
}

/** https://github.com/opencontainers/image-spec/blob/main/image-layout.md @throws where a blob is not what its digest says */
async function readLayout(layout: string) {
  const blob = async ({ digest, size }: z.output<typeof descriptor>) => {
    const path = join(layout, 'blobs', digest.replace(':', '/'));
    const bytes = await readFile(path);
    if (bytes.length !== size) throw new Error(`expected ${size} bytes, got ${bytes.length}: ${path}`);
    hold(digest, bytes, path);
    return { path, value: () => JSON.parse(bytes.toString()) };
  };
  const json = async (name: string) => JSON.parse(await readFile(join(layout, name), 'utf8'));
  z.strictObject({ imageLayoutVersion: z.literal('1.0.0') }).parse(await json('oci-layout'));
  const [listed] = index.parse(await json('index.json')).manifests;
  const parts = manifest.parse((await blob(listed)).value());
  return { parsed: config.parse((await blob(parts.config)).value()), layer: (await blob(parts.layers[0])).path };
}

function hold(digest: string, bytes: Uint8Array, path: string): void {
  const found = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (found !== digest) throw new Error(`expected ${digest}, got ${found}: ${path}`);
}
