import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { agentTree, everyCommand, operatorTree } from '../../packaging/man/trees.ts';
import { visibleMembers } from '../../src/admin/completion/completable.ts';
import { completionScript, type Shell } from '../../src/admin/completion.ts';
import { whenPresent } from '../support/needs.ts';
import { operatedSite } from '../support/operated-site.ts';
import { succeed } from '../support/penguindome.ts';
import { scratchFolder } from '../support/scratch.ts';

/** Asks a real shell what it would offer behind these words. */
type Ask = (line: string, options?: { cwd?: string; env?: Record<string, string> }) => string[];

interface ShellTest {
  program: string;
  /** what makes the shell print its offers, one a line. @param words the line, the last one being completed */
  ask(script: string, words: string[]): { args: string[]; input?: string };
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const SHELLS: Record<Shell, ShellTest> = {
  bash: {
    program: '/bin/bash',
    ask: (script, words) => ({
      args: [
        '--norc',
        '-c',
        `source ${quote(script)}; COMP_WORDS=(${words.map(quote).join(' ')}); COMP_CWORD=${words.length - 1}; _penguindome; printf '%s\\n' "\${COMPREPLY[@]}"`,
      ],
    }),
  },
  zsh: {
    program: '/usr/bin/zsh',
    // zle itself needs a terminal: what it would be told is caught where it is told
    ask: (script, words) => ({
      args: [
        '-f',
        '-c',
        `compdef() { : }
compset() { [[ $1 == -P ]] && cur=\${cur#*=} }
compadd() { while [[ $# -gt 0 && $1 != -- ]]; do shift; done; shift; print -rl -- "$@" }
_describe() { local array=\${@[-1]}; print -rl -- "\${(@)\${(@P)array}%%:*}" }
_files() { print -rl -- *(N) }
source ${quote(script)}
words=(${words.map(quote).join(' ')}); CURRENT=${words.length}
_penguindome`,
      ],
    }),
  },
  fish: {
    program: '/usr/bin/fish',
    ask: (script, words) => ({
      args: ['--no-config', '-c', `source ${quote(script)}; complete -C ${quote(words.join(' '))}`],
    }),
  },
};

const CLEAN = { HOME: '/nonexistent', PATH: process.env['PATH'] ?? '/usr/bin:/bin', LANG: 'C.UTF-8' };

async function shellOf(t: ExecutionContext, shell: Shell): Promise<Ask> {
  const folder = await scratchFolder(t);
  const script = join(folder, 'script');
  await writeFile(script, await succeed(['completion', shell]));
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await symlink(resolve('build/penguindome'), join(bin, 'penguindome'));
  const { program, ask } = SHELLS[shell];
  return (line, { cwd = folder, env = {} } = {}) => {
    const { args } = ask(script, line.split(' '));
    const { stdout, stderr } = spawnSync(program, args, {
      cwd,
      env: { ...CLEAN, PATH: `${bin}:${CLEAN.PATH}`, HOME: folder, ...env },
      encoding: 'utf8',
    });
    t.is(stderr, '', `${shell}: ${line}`);
    const current = line.split(' ').at(-1) ?? '';
    const begins = current.replace(/^--[^=]*=/, '');
    // zsh and fish filter by themselves, and fish gives the description behind a tab
    const offers = stdout.split('\n').map((each) => (each.split('\t')[0] ?? '').replace(/^--[^=]*=/, ''));
    return offers.filter((each) => each !== '' && each.startsWith(begins)).sort();
  };
}

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  const { program } = SHELLS[shell];
  const present = whenPresent(existsSync(program), `completion in ${shell}: Debian package ${shell}`);

  present(`${shell} completes commands, options, choices, files, and the names of hosts and issues`, async (t) => {
    const ask = await shellOf(t, shell);
    t.deepEqual(ask('penguindome ho'), ['hosts']);
    t.deepEqual(
      ask('penguindome hosts '),
      ['forget', 'history', 'list', 'lost', 'parameters', 'show'].filter((name) =>
        ask('penguindome hosts ').includes(name),
      ),
    );
    t.true(['forget', 'list', 'lost', 'show'].every((name) => ask('penguindome hosts ').includes(name)));
    t.true(ask('penguindome hosts lost --').includes('--found'));
    t.true(ask('penguindome hosts lost --').includes('--json'), 'what the program itself takes');
    t.false(ask('penguindome hosts list --').includes('--found'));
    t.deepEqual(ask('penguindome setup --store '), ['embedded', 'mongo']);
    t.deepEqual(ask('penguindome setup --store=m'), shell === 'bash' ? [] : ['mongo']);
    t.deepEqual(ask('penguindome completion z'), ['zsh']);
    t.deepEqual(ask('penguindome completion-'), [], 'what is hidden stays so');
    const site = await operatedSite(t, ['lap-17', 'lap-18', 'desk-1']);
    const env = { PENGUINDOME_CONFIG: site.config };
    t.deepEqual(ask('penguindome hosts lost la', { env }), ['lap-17', 'lap-18']);
    t.deepEqual(
      ask('penguindome --config /x --json hosts lost --found lap-18', { env }),
      ['lap-18'],
      'behind options and their values',
    );
    t.deepEqual(ask('penguindome issues list --host d', { env }), ['desk-1']);
    // fish itself knows no option with several values
    if (shell !== 'fish') {
      t.deepEqual(ask('penguindome issues list --host lap-17 d', { env }), ['desk-1'], 'one after the other');
    }
    t.deepEqual(ask('penguindome checks explain lap-17 firewall-d', { env }), ['firewall-disabled']);
    await writeFile(join(site.dir, 'a-backup.gz'), '');
    t.deepEqual(ask('penguindome restore a-b', { cwd: site.dir }), ['a-backup.gz']);
    t.deepEqual(ask('penguindome hosts lost la'), [], 'nothing is said where there is no site');
  });

  present(`${shell} takes the scripts of both programs as they are`, async (t) => {
    const folder = await scratchFolder(t);
    for (const tree of [operatorTree(), agentTree()]) {
      const file = join(folder, tree.name());
      await writeFile(file, completionScript(shell, tree));
      const { status, stderr } = spawnSync(program, ['-n', file], { encoding: 'utf8' });
      t.is(stderr, '');
      t.is(status, 0);
    }
  });
}

test('readline makes three words of --option=value, and bash still completes the value', async (t) => {
  const folder = await scratchFolder(t);
  const script = join(folder, 'script');
  await writeFile(script, completionScript('bash', operatorTree()));
  const { args } = SHELLS.bash.ask(script, ['penguindome', 'setup', '--store', '=', 'm']);
  t.is(spawnSync('/bin/bash', args, { encoding: 'utf8' }).stdout, 'mongo\n');
});

test('each command is in each script, and an apostrophe in a description breaks none', async (t) => {
  const folder = await scratchFolder(t);
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const tree = operatorTree();
    tree.addCommand(tree.createCommand('odd').description('isn\'t `rm -rf` $HOME \\ "x"'));
    const script = completionScript(shell, tree);
    for (const command of everyCommand(tree, visibleMembers).slice(1))
      t.true(script.includes(command.name()), command.name());
    const { program } = SHELLS[shell];
    const file = join(folder, shell);
    await writeFile(file, script);
    if (existsSync(program)) t.is(spawnSync(program, ['-n', file], { encoding: 'utf8' }).stderr, '', shell);
  }
});
