import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { fitsTar, makeTar } from '../../src/wire/tar.ts';
import { scratchFolder } from '../support/scratch.ts';

const run = promisify(execFile);
const AT = 1_795_435_200;

test('a tar of ours is unpacked by tar as it was made: contents of any length, long and foreign names', async (t) => {
  const folder = await scratchFolder(t);
  const files = [
    ...[0, 1, 511, 512, 513, 1024].map((size) => ({
      path: `size/${size}`,
      mode: 0o644,
      content: Buffer.alloc(size, 7),
    })),
    { path: `${'d'.repeat(60)}/${'e'.repeat(60)}/${'f'.repeat(100)}`, mode: 0o755, content: Buffer.from('long') },
    { path: 'client/größe ☃', mode: 0o600, content: Buffer.from('named') },
  ];
  await writeFile(join(folder, 'x.tar'), makeTar(files, AT));
  await mkdir(join(folder, 'out'));
  const { stderr } = await run('tar', ['-C', join(folder, 'out'), '-xpf', join(folder, 'x.tar')]);
  t.is(stderr, '');
  for (const { path, content } of files) t.deepEqual(await readFile(join(folder, 'out', path)), content, path);
  t.deepEqual(makeTar(files, AT), makeTar(files, AT));
});

test('a path that ustar has no room for is told of, and not cut', (t) => {
  for (const path of ['x'.repeat(101), `${'d'.repeat(156)}/x`, `d/${'ä'.repeat(51)}`]) {
    t.false(fitsTar(path));
    t.throws(() => makeTar([{ path, mode: 0o644, content: Buffer.alloc(0) }], AT), { instanceOf: RangeError });
  }
  t.true(fitsTar(`${'d'.repeat(155)}/${'x'.repeat(100)}`));
});
