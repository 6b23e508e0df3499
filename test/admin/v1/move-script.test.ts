import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { isPackageUrl, moveScript, type PackageSource } from '../../../src/admin/v1/move-script.ts';
import { scratchFolder } from '../../support/scratch.ts';

const SOURCES: PackageSource[] = [
  { from: 'repository' },
  { from: 'url', url: "https://dome.example/it's%20$(id)`id`;/agent.deb", sha256: 'ab'.repeat(32) },
];
const soon = () => new Date(Date.now() + 60_000);

async function written(t: ExecutionContext, move: Partial<Parameters<typeof moveScript>[0]>): Promise<string> {
  const file = join(await scratchFolder(t), 'move');
  const whole = {
    hostname: 'no-machine-of-this-name',
    source: { from: 'repository' } as const,
    token: 'x',
    ends: soon(),
  };
  await writeFile(file, moveScript({ ...whole, ...move }), { mode: 0o700 });
  return file;
}

test('every shell that is there can read the script, whatever its URL holds', async (t) => {
  const shells = ['sh', 'dash', 'bash', 'busybox', 'zsh', 'mksh'].filter(
    (shell) => spawnSync(shell, shell === 'busybox' ? ['sh', '-c', ':'] : ['-c', ':']).status === 0,
  );
  t.true(shells.includes('sh'));
  for (const source of SOURCES) {
    const file = await written(t, { source });
    for (const shell of shells) {
      const { status, stderr } = spawnSync(shell, [...(shell === 'busybox' ? ['sh'] : []), '-n', file], {
        encoding: 'utf8',
      });
      t.deepEqual([status, stderr], [0, ''], shell);
    }
  }
});

test('a machine of another name does nothing', async (t) => {
  const { status, stderr } = spawnSync(await written(t, {}), { encoding: 'utf8' });
  t.is(status, 1);
  t.regex(
    stderr,
    process.getuid?.() === 0 ? new RegExp(`this machine is named ${hostname()}, and not no-machine`) : /it takes root/,
  );
});

test('once its token has ended the script says so and succeeds, so that the original client removes it', async (t) => {
  const { status, stdout } = spawnSync(await written(t, { ends: new Date(Date.now() - 1000) }), { encoding: 'utf8' });
  t.is(status, 0);
  t.regex(stdout, /^NOT MOVED: the token of this command has ended/);
});

test('URLs of packages', (t) => {
  for (const good of ['http://x/a.deb', 'https://x:8/y/a.pkg.tar.zst', 'https://x/a.rpm?b=c'])
    t.true(isPackageUrl(good), good);
  for (const bad of ['', 'x/a.deb', 'https://x/a', 'javascript:a.deb', 'https://x/a.deb b', 'https://a@x/a.deb']) {
    t.false(isPackageUrl(bad), bad);
  }
});
