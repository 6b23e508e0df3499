import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { scratchFolder } from '../support/scratch.ts';
import { finish } from './support/finish.ts';
import { bootMachine, type Machine } from './support/machine.ts';
import { onMachineWithAutopkgtest } from './support/needs.ts';
import { buildPackages, run } from './support/packages.ts';

/** autopkgtest's own ssh, which enters the machine's network: it has no other way in. */
async function sshConfig(folder: string, leader: number): Promise<string> {
  const config = join(folder, 'ssh_config');
  const lines = [
    'Host machine',
    'HostName 127.0.0.1',
    `ProxyCommand nsenter -t ${leader} -n -- socat STDIO TCP:%h:22`,
    'StrictHostKeyChecking no',
    'UserKnownHostsFile /dev/null',
    'LogLevel ERROR',
  ];
  await writeFile(config, lines.map((line) => `${line}\n`).join(''));
  return config;
}

/** Has autopkgtest install the packages on the machine and run debian/tests there. */
async function autopkgtest(t: ExecutionContext, machine: Machine) {
  const { built } = await buildPackages(t, 'deb');
  const scratch = await scratchFolder(t);
  const [key, source] = [join(scratch, 'key'), join(scratch, 'source')];
  await run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key);
  await machine.write('/root/.ssh/authorized_keys', await run('cat', `${key}.pub`), '600');
  await machine.run(['sh', '-c', 'rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*; systemctl start ssh']);
  await cp('debian', join(source, 'debian'), { recursive: true });
  // makes it a tree that is built: autopkgtest unpacks and builds another, which takes what the machine does not have
  await writeFile(join(source, 'debian/files'), '');
  const debs = (await readdir(join(built, 'deb'))).filter((name) => name.endsWith('.deb'));
  const { status, stdout, stderr } = await finish('autopkgtest', [
    '--no-built-binaries',
    ...debs.map((name) => join(built, 'deb', name)),
    source,
    ...['--', 'ssh', '--hostname=machine', '--login=root', `--identity=${key}`],
    `--options=-F ${await sshConfig(scratch, machine.leader)}`,
    ...['--capability=isolation-container', '--capability=isolation-machine'],
  ]);
  return { status, said: stdout + stderr };
}

onMachineWithAutopkgtest(
  'the packages pass their own autopkgtest on a booted machine, which shows the journal where it fails',
  async (t) => {
    await buildPackages(t, 'deb');
    const machine = await bootMachine(t, { filters: true });
    t.timeout(300_000, 'a machine that hangs');
    const { status, said } = await autopkgtest(t, machine);
    t.is(status, 0, said);
    t.regex(said, /^smoke +PASS$/m);

    await machine.run(['systemctl', 'stop', 'penguindome-server']);
    await machine.run(['sh', '-c', 'echo nonsense: true >>/etc/penguindome/server.yml']);
    const smoke = await readFile('debian/tests/smoke', 'utf8');
    const failed = await machine.attempt(['sh', '-s'], { input: smoke });
    t.not(failed.status, 0);
    t.regex(failed.stderr, /server\.yml:\d+: nonsense/);
    t.regex(failed.stdout, /systemd\[1\]: Stopped penguindome-server\.service/);
  },
);
