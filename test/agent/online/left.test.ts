import { execFile, spawn } from 'node:child_process';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { LARGEST_LEFT, readLeft, writeRecord } from '../../../src/agent/online/left.ts';
import { scratchFolder } from '../../support/scratch.ts';

const run = promisify(execFile);

const NOW = new Date('2026-11-29T12:00:00Z');
const AT = '2026-11-29T11:59:00.000Z';
const ADDRESSES = { public_ipv4: '192.0.2.7', public_ipv6: 'unknown' };
const GOOD = JSON.stringify({ tried_at: AT, answer: { at: AT, value: ADDRESSES } });

/** What the collector makes of what lies there. */
async function reader(t: ExecutionContext) {
  const folder = join(await scratchFolder(t), 'online');
  await mkdir(folder);
  return {
    folder,
    file: join(folder, 'ip_addresses.json'),
    read: async () => readLeft(folder, 'ip_addresses', { now: NOW, oldest: 600_000 }),
    reason: async () => {
      const left = await readLeft(folder, 'ip_addresses', { now: NOW, oldest: 600_000 });
      return 'reason' in left ? left.reason : JSON.stringify(left);
    },
  };
}

test('an answer is told with its time', async (t) => {
  const { folder, read } = await reader(t);
  await writeRecord(folder, 'ip_addresses', { tried_at: AT, answer: { at: AT, value: ADDRESSES } });
  t.deepEqual(await read(), { at: new Date(AT), value: ADDRESSES });
});

test('where nobody has asked yet that is said, with what to look at', async (t) => {
  const { folder, reason } = await reader(t);
  t.regex(await reason(), /nobody has asked outside yet; see systemctl status penguindome-collect-online\.timer/);
  await rm(folder, { recursive: true });
  t.regex(await reason(), /nobody has asked outside yet/);
});

for (const [what, at] of [
  ['too old', '2026-11-29T11:40:00.000Z'],
  ['of a time to come', '2026-11-29T12:00:01.000Z'],
] as const) {
  test(`an answer that is ${what} is not told`, async (t) => {
    const { file, reason } = await reader(t);
    await writeFile(file, JSON.stringify({ tried_at: at, answer: { at, value: ADDRESSES } }));
    t.regex(await reason(), /not of late/);
  });
}

test('why nobody answered is told on one line, cut; an answer that still counts goes before it', async (t) => {
  const { file, reason, read } = await reader(t);
  await writeFile(file, JSON.stringify({ tried_at: AT, failure: `no\u001b[31m answer ${'x'.repeat(5000)}` }));
  t.regex(await reason(), /^no \[31m answer x+$/);
  t.is((await reason()).length, 500);
  await writeFile(file, JSON.stringify({ tried_at: AT, failure: 'gone', answer: { at: AT, value: 1 } }));
  t.deepEqual(await read(), { at: new Date(AT), value: 1 });
});

const HOSTILE: [what: string, plant: (file: string) => Promise<unknown>, said: RegExp][] = [
  ['a FIFO', (file) => run('mkfifo', [file]), /no regular file/],
  ['a symbolic link', (file) => symlink('/etc/passwd', file), /symbolic link/],
  ['a folder', (file) => mkdir(file), /no regular file/],
  [
    'a flood',
    (file) => writeFile(file, `${GOOD.slice(0, -1)}${' '.repeat(LARGEST_LEFT)}}`),
    /holds more than 65536 bytes/,
  ],
  ['no JSON', (file) => writeFile(file, '{'), /is no JSON/],
  ['nothing', (file) => writeFile(file, ''), /is no JSON/],
  ['another form', (file) => writeFile(file, '[]'), /is not what/],
  ['more than there is', (file) => writeFile(file, GOOD.replace('{', '{"os_info": {}, ')), /is not what/],
  ['a time that is none', (file) => writeFile(file, GOOD.replaceAll(AT, 'tomorrow')), /is not what/],
  ['nests that go deep', (file) => writeFile(file, '['.repeat(60_000)), /is no JSON/],
];
for (const [what, plant, said] of HOSTILE) {
  test(`${what} in the place of an answer is refused, and the collector goes on`, async (t) => {
    const { file, reason } = await reader(t);
    await plant(file);
    t.regex(await reason(), said);
  });
}

/** Puts now this and now that into the file's place, as quickly as it can. */
const SWAP = `
  while :; do
    ln -s /etc/passwd "$1.a"; mv -T "$1.a" "$1"
    mkfifo "$1.c"; mv -T "$1.c" "$1"
    cp "$2" "$1.b"; mv -T "$1.b" "$1"
  done
`;

test('a file that somebody swaps all the time is refused or read whole, and nothing else is read in its place', async (t) => {
  const { folder, file, read } = await reader(t);
  const good = join(folder, 'good');
  await writeFile(good, GOOD);
  const swapping = spawn('sh', ['-c', SWAP, 'sh', file, good], { stdio: 'ignore' });
  t.teardown(() => swapping.kill('SIGKILL'));
  const seen = new Set<string>();
  for (let count = 0; count < 20_000 && seen.size < 3; count++) {
    const left = await read();
    if ('value' in left) t.deepEqual(left.value, ADDRESSES);
    else t.regex(left.reason, /symbolic link|no regular file|nobody has asked/);
    seen.add('value' in left ? 'answer' : left.reason);
  }
  t.true(seen.size >= 3, [...seen].join('; '));
});
