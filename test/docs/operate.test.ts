import { spawnSync } from 'node:child_process';
import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import test from 'ava';
import { generateKey } from 'openpgp';
import { anEnrollment } from '../support/documents.ts';
import { type OperatedSite, operatedSite, withStore } from '../support/operated-site.ts';

/** What the page tells to do, in its order. */
type Step =
  | { kind: 'run'; line: string; heading: string }
  | { kind: 'write'; path: string; content: string }
  | { kind: 'another machine' };

/**
 * Reads the page: each line of a block marked `sh` is run, a block marked with a language and an absolute path is that file's content, and a comment
 * `<!-- test: another machine -->` says that what follows happens on a bare one. Other blocks are only read by people.
 */
function stepsOf(page: string): Step[] {
  const steps: Step[] = [];
  let heading = '';
  for (const [, title, info, content = '', remark] of page.matchAll(
    /^## (.+)$|^```(.*)\n([\s\S]*?)^```$|^<!-- test: (.+) -->$/gm,
  )) {
    if (title !== undefined) heading = title;
    else if (remark === 'another machine') steps.push({ kind: 'another machine' });
    else if (remark !== undefined) throw new Error(`cannot do "${remark}": the test knows no such step`);
    else if (info === 'sh')
      steps.push(
        ...content
          .trimEnd()
          .split('\n')
          .map((line): Step => ({ kind: 'run', line, heading })),
      );
    else if (info?.includes(' /')) steps.push({ kind: 'write', path: info.split(' ')[1] ?? '', content });
  }
  return steps;
}

/** Where a site below one folder has what a whole system has elsewhere. */
function placed(text: string, { dir }: OperatedSite): string {
  return text.replaceAll('/var/lib/penguindome-server', join(dir, 'state')).replaceAll('/etc/penguindome', dir);
}

/** What the page speaks of as there already. A task that needs more is prepared here. */
async function prepare(site: OperatedSite, folder: string): Promise<void> {
  await withStore(site.dir, async (store) => {
    for (const hostname of ['lap-18', 'lap-30']) await store.enrollments.insert(anEnrollment({ hostname }));
  });
  await mkdir(join(site.dir, 'checks.d'), { recursive: true });
  const keys = await generateKey({ type: 'ecc', curve: 'ed25519Legacy', userIDs: [{ name: 'operator' }] });
  await writeFile(join(folder, 'operator.asc'), keys.publicKey);
  await writeFile(join(folder, 'operator-secret.asc'), keys.privateKey);
  await mkdir(join(site.dir, 'release/plugins'), { recursive: true });
  for (const name of ['collect-logs.sh', 'release/plugins/raid']) {
    await writeFile(join(site.dir, name), '#!/bin/sh\n', { mode: 0o755 });
  }
  await mkdir(join(folder, 'bin'));
  for (const name of ['penguindome', 'penguindome-server', 'penguindome-agent']) {
    await symlink(resolve('build', name), join(folder, 'bin', name));
  }
}

test('each command line of docs/operate.md does what it is there for', async (t) => {
  const steps = stepsOf(await readFile('docs/operate.md', 'utf8'));
  t.true(steps.filter(({ kind }) => kind === 'run').length > 30);
  const site = await operatedSite(t, ['lap-17', 'lap-18', 'desk-1']);
  const folder = dirname(site.dir);
  await prepare(site, folder);
  const env = {
    ...process.env,
    PENGUINDOME_CONFIG: site.config,
    PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
  };
  for (const step of steps) {
    if (step.kind === 'write') await writeFile(placed(step.path, site), step.content);
    else if (step.kind === 'another machine') {
      await rename(site.dir, join(folder, 'old-machine'));
      await mkdir(join(site.dir, 'state'), { recursive: true });
    } else {
      const { status, stdout, stderr } = spawnSync('/bin/bash', ['-euo', 'pipefail', '-c', placed(step.line, site)], {
        cwd: folder,
        env,
        encoding: 'utf8',
        input: '',
      });
      t.is(status, 0, `${step.heading}: ${step.line}\n${stdout}${stderr}`);
    }
  }
  const [, lost] = JSON.parse(await site.succeed('log', 'list', '--json', '--command', 'hosts lost'));
  t.like(lost, { arguments: ['--found', 'lap-17'] }, 'what was done on the old machine is in the log of the new one');
});

test('a page that names a step which the test does not know is found out', (t) => {
  t.throws(() => stepsOf('<!-- test: something else -->\n'), { message: /no such step/ });
  t.deepEqual(stepsOf('## A\n\n```sh\na\nb\n```\n\n```text\nc\n```\n'), [
    { kind: 'run', line: 'a', heading: 'A' },
    { kind: 'run', line: 'b', heading: 'A' },
  ]);
});
