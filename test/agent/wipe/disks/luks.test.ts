import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { HeaderFacts } from '../../../../src/agent/wipe/disks/disk-facts.ts';
import { eraseHeader } from '../../../../src/agent/wipe/disks/erase-header.ts';
import { readLuksHeader, uuidOfMapping } from '../../../../src/agent/wipe/disks/luks-header.ts';
import { type RunTool, systemTools } from '../../../../src/agent/wipe/tools.ts';
import { whenPresent } from '../../../support/needs.ts';
import { scratchFolder } from '../../../support/scratch.ts';

const CRYPTSETUP = '/usr/sbin/cryptsetup';
const real = whenPresent(existsSync(CRYPTSETUP), 'cryptsetup (cryptsetup-bin)');
const run = systemTools(new AbortController().signal);
const without: RunTool = async () => ({ code: null, problem: 'missing', stdout: '', stderr: '' });
const FAST = ['--batch-mode', '--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000'];

interface Volume {
  image: string;
  header: HeaderFacts;
  opens(): boolean;
  cryptsetup(...args: string[]): string;
}

/** An image file that the real cryptsetup has formatted, with two key slots. */
async function volume(t: ExecutionContext, version: 1 | 2, ...options: string[]): Promise<Volume> {
  const folder = await scratchFolder(t);
  const [image, key, other] = [join(folder, 'image'), join(folder, 'key'), join(folder, 'other')];
  writeFileSync(image, '');
  truncateSync(image, 24 * 1024 * 1024);
  writeFileSync(key, 'correct horse');
  writeFileSync(other, 'battery staple');
  const cryptsetup = (...args: string[]) => execFileSync(CRYPTSETUP, args, { stdio: 'pipe', encoding: 'utf8' });
  cryptsetup('luksFormat', ...FAST, '--type', `luks${version}`, ...options, image, key);
  cryptsetup('luksAddKey', ...FAST, '--key-file', key, image, other);
  const opens = () =>
    [key, other].some(
      (file) => spawnSync(CRYPTSETUP, ['open', '--test-passphrase', '--key-file', file, image]).status === 0,
    );
  t.true(opens(), 'it opens before');
  return {
    image,
    opens,
    cryptsetup,
    header: { path: image, isFile: true, version, open: [], removable: false, system: false },
  };
}

function headerOf(image: string) {
  const fd = openSync(image, 'r');
  try {
    return readLuksHeader((offset, length) => {
      const piece = Buffer.alloc(length);
      return piece.subarray(0, readSync(fd, piece, 0, length, offset));
    });
  } finally {
    closeSync(fd);
  }
}

function spoil(image: string, length: number): void {
  const fd = openSync(image, 'r+');
  writeSync(fd, Buffer.alloc(length), 0, length, 0);
  closeSync(fd);
}

for (const version of [1, 2] as const) {
  real(`LUKS${version}: the header is found, with its uuid and how far key material reaches`, async (t) => {
    const { image, cryptsetup } = await volume(t, version);
    const uuid = cryptsetup('luksUUID', image).trim();
    t.deepEqual(headerOf(image), { version, uuid, length: version === 1 ? 2 * 1024 * 1024 : 16 * 1024 * 1024 });
    t.is(uuidOfMapping(`CRYPT-LUKS${version}-${uuid.replaceAll('-', '')}-name`), uuid.replaceAll('-', ''));
  });

  real(
    `LUKS${version}: cryptsetup erases all key slots; it opens by none of its passphrases; again does no harm`,
    async (t) => {
      const { header, opens } = await volume(t, version);
      t.deepEqual(await eraseHeader(header, run), { erased: true, how: 'cryptsetup' });
      t.false(opens());
      t.deepEqual(await eraseHeader(header, run), { erased: true, how: 'cryptsetup' });
    },
  );

  real(`LUKS${version}: without cryptsetup header and key material are written over, and no data`, async (t) => {
    const { header, image, opens } = await volume(t, version);
    const length = headerOf(image)?.length ?? 0;
    const data = openSync(image, 'r+');
    t.teardown(() => closeSync(data));
    writeSync(data, 'first of the data', length);
    t.deepEqual(await eraseHeader(header, without), { erased: true, how: 'overwritten' });
    t.false(opens());
    t.is(headerOf(image), undefined);
    const piece = Buffer.alloc(17);
    readSync(data, piece, 0, 17, length);
    t.is(piece.toString(), 'first of the data');
  });
}

real('LUKS2 with a damaged first header, which cryptsetup would mend by the second: found, and erased', async (t) => {
  const { header, image, opens } = await volume(t, 2);
  spoil(image, 4096);
  t.is(headerOf(image)?.version, 2);
  t.true((await eraseHeader(header, run)).erased);
  t.false(opens());
});

real('LUKS2: tokens go with the key slots', async (t) => {
  const { header, image, cryptsetup } = await volume(t, 2);
  const token = '{"type":"test-holder","keyslots":["0"],"blob":"AAAA"}';
  execFileSync(CRYPTSETUP, ['token', 'import', '--token-id', '3', image], { input: token });
  t.true((await eraseHeader(header, run)).erased);
  t.notRegex(cryptsetup('luksDump', '--dump-json-metadata', image), /test-holder|blob/);
});

real('a header of LUKS2 in a file of its own, larger areas included, is erased as one on a disk', async (t) => {
  const { header, image, opens } = await volume(t, 2, '--luks2-metadata-size', '64k', '--luks2-keyslots-size', '4m');
  t.is(headerOf(image)?.length, 2 * 64 * 1024 + 4 * 1024 * 1024);
  t.true((await eraseHeader(header, without)).erased);
  t.false(opens());
});

test('what holds no header is none, however it begins', (t) => {
  const read = (bytes: Buffer) => readLuksHeader((offset, length) => bytes.subarray(offset, offset + length));
  t.is(read(Buffer.alloc(0)), undefined);
  t.is(read(Buffer.from('LUKS')), undefined);
  t.is(read(Buffer.alloc(5_000_000)), undefined);
  const odd = Buffer.alloc(5_000_000);
  odd.write('LUKS\xba\xbe\0\x02', 'latin1');
  odd.fill(0xff, 8, 16);
  t.deepEqual(read(odd), { version: 2, uuid: '' });
});

test('what holds no header any more is not written to', async (t) => {
  const folder = await scratchFolder(t);
  const path = join(folder, 'file');
  writeFileSync(path, 'an administrator’s');
  const header = { path, isFile: true, version: 2, open: [], removable: false, system: false } as const;
  const result = await eraseHeader({ ...header, open: [] }, without);
  t.false(result.erased);
  t.is((await import('node:fs')).readFileSync(path, 'utf8'), 'an administrator’s');
});
