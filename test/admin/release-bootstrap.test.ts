import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { gpgHome, hasGpg } from '../support/gpg.ts';
import { whenPresent } from '../support/needs.ts';
import { type OperatedSite, operatedSite } from '../support/operated-site.ts';
import { scratchFolder } from '../support/scratch.ts';

const node18 = process.env['PENGUINDOME_TEST_NODE18'];
const withNode = whenPresent(
  hasGpg && node18 !== undefined,
  'a bootstrap tar needs /usr/bin/gpg and Node 18.19 of npm',
);

/** Standard output; where it fails, what it said is the error. */
function must(command: string, args: string[], cwd = '.'): string {
  const env = { ...process.env, SOURCE_DATE_EPOCH: '1700000000' };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', env });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

let making: Promise<string> | undefined;

/** What penguindome-server brings, as it is built: once for all tests. */
function parts(): Promise<string> {
  making ??= (async () => {
    const payload = join(await mkdtemp(join(process.env['PENGUINDOME_TEST_SCRATCH'] ?? tmpdir(), 'parts-')), 'payload');
    must('node', ['packaging/package.mjs', 'payload', payload]);
    return join(payload, 'bootstrap');
  })();
  return making;
}

interface Making {
  site: OperatedSite;
  folder: string;
  /** @returns what came of it, with --json */
  make(name: string, ...args: string[]): Promise<object>;
}

async function started(t: ExecutionContext): Promise<Making> {
  t.timeout(300_000, 'the payload');
  const [site, folder, from] = [await operatedSite(t), await scratchFolder(t), await parts()];
  return {
    site,
    folder,
    make: async (name, ...args) =>
      Object(await site.json('release', '--bootstrap', '--parts', from, '--output', join(folder, name), ...args)),
  };
}

withNode('made twice it is the same; gpg knows whose it is, and finds one byte that differs', async (t) => {
  const { folder, make } = await started(t);
  const made = await make('first.tar.gz', '--runtime', node18 ?? '');
  t.like(made, { version: '0.1.0', machine: 'x86_64', glibc: '2.28', token: null, warnings: [] });
  await make('second.tar.gz', '--runtime', node18 ?? '');
  const file = join(folder, 'first.tar.gz');
  const bytes = await readFile(file);
  t.true(bytes.equals(await readFile(join(folder, 'second.tar.gz'))));
  t.is((await stat(file)).mode & 0o777, 0o644);

  const gpg = await gpgHome(t);
  await gpg(['--import', `${file}.key`]);
  await t.notThrowsAsync(gpg(['--verify', `${file}.asc`, file]));
  t.regex(await gpg(['--with-colons', '--list-keys']), new RegExp(String(Object(made).fingerprint)));
  const middle = bytes.length >> 1;
  bytes.writeUInt8((bytes[middle] ?? 0) ^ 1, middle);
  await writeFile(file, bytes);
  await t.throwsAsync(gpg(['--verify', `${file}.asc`, file]), { message: /BAD signature/ });
});

withNode(
  'in it are agent, Node and install.sh, each with its sum, and all that the package of the agent has',
  async (t) => {
    const { folder, make } = await started(t);
    await make('it.tar.gz', '--runtime', node18 ?? '');
    must('tar', ['-xzf', 'it.tar.gz'], folder);
    const inside = join(folder, 'penguindome-agent-0.1.0-x86_64');
    const said = must('sha256sum', ['-c', 'SHA256SUMS'], inside);
    t.deepEqual(
      said.trim().split('\n'),
      ['about', 'agent.tar', 'install.sh', 'node', 'node.LICENSE']
        .filter((name) => name !== 'node.LICENSE' || existsSync(join(inside, name)))
        .map((name) => `${name}: OK`),
    );
    t.is((await stat(join(inside, 'install.sh'))).mode & 0o777, 0o755);
    t.is(must(join(inside, 'node'), ['--version']).trim(), 'v18.19.1');
    t.regex(must('sh', [join(inside, 'install.sh'), '--help']), /PenguinDome agent 0\.1\.0/);
    const installed = must('tar', ['-tf', 'agent.tar'], inside).trim().split('\n');
    for (const path of [
      'usr/bin/penguindome-agent',
      'usr/lib/penguindome/bin/penguindome-tick',
      'usr/lib/systemd/system/penguindome-collect.timer',
      'usr/lib/sysusers.d/penguindome-agent.conf',
      'usr/lib/tmpfiles.d/penguindome-agent.conf',
      'usr/share/man/man8/penguindome-agent.8',
      'usr/share/doc/penguindome-agent/copyright',
      'usr/share/doc/penguindome-agent/penguindome-agent.cdx.json',
    ]) {
      t.true(installed.includes(path), path);
    }
  },
);

test('without a Node it is for any machine; token and settings of the site go along, and are told', async (t) => {
  const { site, folder, make } = await started(t);
  const token = join(folder, 'token');
  const settings = join(folder, 'laptops.yml');
  await site.succeed('enrollment', 'token', '--out', token, '--approve', '--expires', '3d');
  await writeFile(settings, 'collect_interval: 5m\n');
  const made = await make('it.tar.gz', '--no-runtime', '--token-file', token, '--settings', settings);
  t.like(made, { machine: null, glibc: null });
  const { warnings } = Object(made);
  t.is(warnings.length, 2);
  t.regex(warnings[0], /^a tar is no secret/);
  t.regex(warnings[1], /lets in any machine at once/);
  t.is((await stat(join(folder, 'it.tar.gz'))).mode & 0o777, 0o600);
  must('tar', ['-xzf', 'it.tar.gz'], folder);
  const inside = join(folder, 'penguindome-agent-0.1.0-any');
  t.is(await readFile(join(inside, 'site/enrollment-token'), 'utf8'), await readFile(token, 'utf8'));
  t.is((await stat(join(inside, 'site/enrollment-token'))).mode & 0o777, 0o600);
  t.regex(
    await readFile(join(inside, 'site/50-site.yml'), 'utf8'),
    /^# Of penguindome release bootstrap\..*\nurl: https:\/\/.*\ncollect_interval: 5m\n$/,
  );
  t.regex(await readFile(join(inside, 'SHA256SUMS'), 'utf8'), / {2}site\/enrollment-token$/m);
});

test('what could not run on another machine is refused, with a word on what to do', async (t) => {
  const { site, folder } = await started(t);
  const from = await parts();
  const refused = async (...args: string[]) => {
    const { status, stderr } = await site.run('release', 'bootstrap', '--output', join(folder, 'it.tar.gz'), ...args);
    t.is(status, 2, stderr);
    t.false(existsSync(join(folder, 'it.tar.gz')));
    return stderr;
  };
  const text = join(folder, 'text');
  await writeFile(text, 'no program');
  t.regex(await refused('--parts', from, '--runtime', text), /it is no program for Linux/);
  t.regex(await refused('--parts', from, '--runtime', '/bin/true'), /it is no Node/);
  t.regex(await refused('--parts', from, '--runtime', join(folder, 'none')), /install penguindome-runtime here/);
  t.regex(await refused('--parts', folder, '--no-runtime'), /penguindome-server brings it/);
  const damaged = join(folder, 'damaged');
  await mkdir(damaged);
  await copyFile(join(from, 'agent.tar'), join(damaged, 'agent.tar'));
  await writeFile(join(damaged, 'install.sh'), '#!/bin/sh\n');
  t.regex(await refused('--parts', damaged, '--no-runtime'), /is not what penguindome-server brings/);
  await writeFile(text, 'hostname: lap-17\n');
  t.regex(
    await refused('--parts', from, '--no-runtime', '--settings', text),
    /all machines would report under one name/,
  );
  const foreign = join(folder, 'foreign');
  await writeFile(foreign, Buffer.from('7f454c460201010000000000000000000200f300', 'hex'));
  await chmod(foreign, 0o755);
  t.regex(await refused('--parts', from, '--runtime', foreign), /expected x86_64 or aarch64/);
});

test('a tar that is there already is not overwritten', async (t) => {
  const { site, folder, make } = await started(t);
  await make('it.tar.gz', '--no-runtime');
  const again = [
    'release',
    'bootstrap',
    '--no-runtime',
    '--parts',
    await parts(),
    '--output',
    join(folder, 'it.tar.gz'),
  ];
  const { status, stderr } = await site.run(...again);
  t.is(status, 1);
  t.regex(stderr, /it is there already; name another file with --output/);
});
