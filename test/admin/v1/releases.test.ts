import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { composeTar, makeV1Release } from '../../../src/admin/v1/make-release.ts';
import { openV1Signer } from '../../../src/crypto/v1-signer.ts';
import { hasGpg } from '../../support/gpg.ts';
import { httpRequest } from '../../support/http.ts';
import { whenPresent } from '../../support/needs.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { NOW, refusal } from '../admin-site.ts';
import { v1Site } from './v1-site.ts';

const run = promisify(execFile);

const test = whenPresent(hasGpg, 'releases for original clients: no gpg');

const FILES: [string, string, number][] = [
  ['client/plugins/os_info.py', '#!/usr/bin/env python3\nprint("{}")\n', 0o755],
  ['client/settings.yml', 'server_url: http://dome.example\n', 0o600],
  ['client/empty', '', 0o644],
  ['penguindome/__init__.py', '# ä\n', 0o644],
  [`penguindome/${'long-folder/'.repeat(9)}module.py`, 'x = 1\n', 0o644],
];

async function originalTree(t: ExecutionContext): Promise<string> {
  const dir = await scratchFolder(t);
  for (const [path, text, mode] of FILES) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text, { mode });
  }
  await mkdir(join(dir, 'server'));
  await writeFile(join(dir, 'server/settings.yml'), 'database: secret\n');
  await mkdir(join(dir, 'client/__pycache__'));
  await writeFile(join(dir, 'client/__pycache__/x.pyc'), 'compiled');
  await writeFile(join(dir, 'client/plugins/os_info.py~'), 'old');
  await writeFile(join(dir, 'client/release.txt'), '17\n');
  return dir;
}

test('an original client installs a release that gpg finds good, file by file, and is current then', async (t) => {
  const site = await v1Site(t);
  const client = await site.client('penguin-01');
  t.deepEqual(await client.ask(), { status: 'current' }, 'there is none yet');
  const dir = await originalTree(t);
  const made = await site.with((context) => makeV1Release(context, dir));
  t.is(made.number, NOW.getTime() / 1000);
  const answer = await client.ask();
  t.is(answer.status, 'out-of-date');
  t.is(answer.current_release, made.number);
  t.deepEqual(await client.take(answer), []);
  t.is(await client.release(), made.number);
  for (const [path, text, mode] of FILES) {
    t.is(await client.read(path), text, path);
    t.is((await stat(join(client.dir, path))).mode & 0o777, mode, path);
  }
  t.false(await client.exists('server'));
  t.false(await client.exists('client/__pycache__'));
  t.false(await client.exists('client/plugins/os_info.py~'));
  t.deepEqual(await client.ask(), { status: 'current' });
});

test('a later release removes what it lacks; a host that is newer than all of them is left alone', async (t) => {
  const site = await v1Site(t);
  const client = await site.client('penguin-01');
  const dir = await originalTree(t);
  await site.with((context) => makeV1Release(context, dir));
  await client.update();
  await rm(join(dir, 'client/plugins/os_info.py'));
  site.clock.set(new Date(NOW.getTime() + 60_000));
  const second = await site.with((context) => makeV1Release(context, dir));
  await client.update();
  t.is(await client.release(), second.number);
  t.false(await client.exists('client/plugins/os_info.py'));
  t.true(await client.exists('penguindome/__init__.py'));
  await writeFile(join(client.dir, 'client/release.txt'), String(second.number + 1));
  t.deepEqual(await client.ask(), { status: 'current' });
});

test('a release that was altered on the way is not installed', async (t) => {
  const site = await v1Site(t);
  const client = await site.client('penguin-01');
  const dir = await originalTree(t);
  await site.with((context) => makeV1Release(context, dir));
  const answer = await client.ask();
  const lines = (answer.update ?? '').split('\n');
  const [line = ''] = lines.splice(20, 1);
  lines.splice(
    20,
    0,
    line.replace(/[a-z]/, (letter) => letter.toUpperCase()),
  );
  await t.throwsAsync(client.take({ ...answer, update: lines.join('\n') }));
  t.is(await client.release(), 0);
});

test('the tar holds files alone, each with its signature, and is the same for the same files, key and number', async (t) => {
  const signer = await openV1Signer(await readFile('test/fixtures/penguindome-v1/server-secret.asc', 'utf8'));
  const files = [
    { path: 'client/a', mode: 0o755, content: Buffer.from('one') },
    { path: 'penguindome/b', mode: 0o644, content: Buffer.from('') },
  ];
  const number = NOW.getTime() / 1000;
  const [tar, again] = [await composeTar(signer, files, number), await composeTar(signer, files, number)];
  t.deepEqual(tar, again);
  const file = join(await scratchFolder(t), 'x.tar');
  await writeFile(file, tar);
  const { stdout } = await run('tar', ['--full-time', '--utc', '-tvf', file]);
  t.deepEqual(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.replace(/ +/g, ' ').replace(/ \d+ (?=2026)/, ' ')),
    [
      '-rwxr-xr-x root/root 2026-11-23 12:00:00 client/a',
      '-rw-r--r-- root/root 2026-11-23 12:00:00 penguindome/b',
      '-rw-r--r-- root/root 2026-11-23 12:00:00 client/release.txt',
      '-rw-r--r-- root/root 2026-11-23 12:00:00 signatures/client/a.sig',
      '-rw-r--r-- root/root 2026-11-23 12:00:00 signatures/penguindome/b.sig',
      '-rw-r--r-- root/root 2026-11-23 12:00:00 signatures/client/release.txt.sig',
    ],
  );
});

test('download_release gives the newest, whole or the part that is asked for', async (t) => {
  const site = await v1Site(t, 'embedded', { server_auth: { download_release: { ipranges: ['127.0.0.1'] } } });
  const url = `${site.server.url}/penguindome/v1/download_release`;
  t.is((await httpRequest(url, {})).status, 404);
  const dir = await originalTree(t);
  const { number, size } = await site.with((context) => makeV1Release(context, dir));
  const whole = await httpRequest(url, {});
  t.is(whole.status, 200);
  t.like(whole.headers, {
    'content-type': 'application/tar',
    'content-disposition': `attachment; filename=${number}.tar`,
    'content-length': String(size),
    'accept-ranges': 'bytes',
    etag: `"${number}"`,
    'last-modified': 'Mon, 23 Nov 2026 12:00:00 GMT',
  });
  t.deepEqual(whole.body, await readFile(join(site.folder, `state/v1-releases/${number}.tar`)));
  const part = async (headers: Record<string, string>, method = 'GET') => {
    const { status, headers: got, body } = await httpRequest(url, { method, headers });
    return { status, range: got['content-range'], length: Number(got['content-length']), body };
  };
  t.deepEqual(await part({ range: 'bytes=100-1123' }), {
    status: 206,
    range: `bytes 100-1123/${size}`,
    length: 1024,
    body: whole.body.subarray(100, 1124),
  });
  const rest = {
    status: 206,
    range: `bytes 600-${size - 1}/${size}`,
    length: size - 600,
    body: whole.body.subarray(600),
  };
  t.deepEqual(await part({ range: 'bytes=600-' }), rest);
  t.deepEqual(await part({ range: 'bytes=600-', 'if-range': `"${number}"` }), rest);
  t.deepEqual(await part({ range: 'bytes=600-', 'if-range': 'Mon, 23 Nov 2026 12:00:00 GMT' }), rest);
  t.is((await part({ range: 'bytes=-10' })).range, `bytes ${size - 10}-${size - 1}/${size}`);
  const all = { status: 200, range: undefined, length: size, body: whole.body };
  t.deepEqual(await part({ range: 'bytes=600-', 'if-range': '"1"' }), all, 'of another release');
  t.deepEqual(await part({ range: 'bytes=0-1,5-6' }), all);
  t.deepEqual(await part({ range: 'lines=1-2' }), all);
  const beyond = await part({ range: `bytes=${size}-` });
  t.deepEqual([beyond.status, beyond.range], [416, `bytes */${size}`]);
  t.deepEqual(await part({ range: 'bytes=0-1' }, 'HEAD'), { ...all, body: Buffer.alloc(0) });
  t.is((await part({ 'if-none-match': `"${number}"` })).status, 304);
});

test('what no signature could cover is refused with its name, and nothing is made', async (t) => {
  const site = await v1Site(t);
  const make = (dir: string) =>
    refusal(
      t,
      site.with((context) => makeV1Release(context, dir)),
    );
  const dir = await originalTree(t);
  await symlink('/etc/passwd', join(dir, 'client/link'));
  t.regex(await make(dir), /client\/link: it is a link/);
  const linked = await scratchFolder(t);
  await symlink(join(dir, 'client'), join(linked, 'client'));
  t.regex(await make(linked), /client: it is a link/);
  t.regex(await make(await scratchFolder(t)), /client: .*expected a folder laid out as the original's/);
  t.deepEqual(await readdir(join(site.folder, 'state')), []);
});

test('of releases the two newest stay, and none is made from the past', async (t) => {
  const site = await v1Site(t);
  const dir = await originalTree(t);
  const numbers: number[] = [];
  for (const minute of [0, 1, 2]) {
    site.clock.set(new Date(NOW.getTime() + minute * 60_000));
    numbers.push((await site.with((context) => makeV1Release(context, dir))).number);
  }
  const kept = numbers.slice(1).flatMap((number) => [`${number}.asc`, `${number}.tar`]);
  t.deepEqual((await readdir(join(site.folder, 'state/v1-releases'))).sort(), kept);
  site.clock.set(NOW);
  t.regex(
    await refusal(
      t,
      site.with((context) => makeV1Release(context, dir)),
    ),
    /is from the future; is the clock right/,
  );
});

test("without the original server's key, or with one that has ended, none is made", async (t) => {
  const site = await v1Site(t);
  const dir = await originalTree(t);
  site.clock.set(new Date('2029-01-01T00:00:00Z'));
  t.regex(
    await refusal(
      t,
      site.with((context) => makeV1Release(context, dir)),
    ),
    /cannot sign with .*v1-server.asc: /,
  );
  await rm(join(site.folder, 'keys/v1-server.asc'));
  t.regex(
    await refusal(
      t,
      site.with((context) => makeV1Release(context, dir)),
    ),
    /penguindome migrate` takes/,
  );
});
