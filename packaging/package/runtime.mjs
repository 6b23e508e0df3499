// The Node of penguindome-runtime: the build that nodejs.org publishes, as the npm registry has it, held to the digest below.
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { output } from './output.mjs';

const VERSION = '24.22.3';
/** process.arch → integrity of node-linux-ARCH */
const INTEGRITY = {
  arm64: 'sha512-IZx0J52/1NDwAsY2iyWR9nlPIYuYviTWetjj8+ElvYQh2+XRhLfCfkbFEF/2O5vGI2hcUbyPNHV+nz342FbJXw==',
  x64: 'sha512-KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==',
};

/** Unpacked where it is to be: two builds at once do not meet. @returns what the bill of materials says of it */
export async function fetchRuntime(folder) {
  const name = `node-linux-${process.arch}`;
  const work = join(folder, 'fetched');
  await mkdir(work, { recursive: true });
  const spec = `${name}@${VERSION}`;
  const [packed] = JSON.parse(
    output('npm', ['pack', spec, '--json', '--loglevel=error', `--pack-destination=${work}`]),
  );
  const integrity = INTEGRITY[process.arch];
  if (integrity === undefined || packed.integrity !== integrity) {
    throw new Error(`cannot use ${spec}: its digest is ${packed.integrity}, expected ${integrity}`);
  }
  output('tar', ['-xzf', join(work, packed.filename), '-C', work, 'package/bin/node', 'package/LICENSE']);
  await rename(join(work, 'package/bin/node'), join(folder, 'node'));
  const text = await readFile(join(work, 'package/LICENSE'), 'utf8');
  await rm(work, { recursive: true });
  return { folder: 'usr/lib/penguindome/runtime', name, version: VERSION, license: 'MIT', integrity, text };
}
