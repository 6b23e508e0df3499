import test from 'ava';
import type { Command } from 'commander';
import { everyCommand, operatorContext, operatorTree } from '../../packaging/man/trees.ts';
import { type LogWorld, logCommands, pathOf } from '../../src/admin/log-commands.ts';
import { UNLOGGED } from '../../src/admin/unlogged-commands.ts';

function tree(say: (text: string) => void = () => {}): Command {
  return operatorTree({ writeOut: say, writeError: say });
}

function everyPath(command: Command, path: string[] = []): string[][] {
  return [path, ...command.commands.flatMap((member) => everyPath(member, [...path, member.name()]))];
}

const PATHS = everyPath(tree());

test('the tree holds what the product promises', (t) => {
  const names = PATHS.map((path) => path.join(' '));
  for (const name of [
    ...['setup', 'settings get', 'settings set', 'migrate', 'migrate status', 'backup', 'restore'],
    ...['enrollment token', 'enrollment list', 'enrollment approve', 'enrollment revoke'],
    ...['hosts list', 'hosts show', 'hosts history', 'hosts forget', 'issues list', 'issues audit'],
    ...['issues snooze', 'issues unsnooze', 'issues suspend', 'issues unsuspend', 'issues open', 'issues close'],
    ...['hosts parameters list', 'hosts parameters set', 'hosts parameters unset'],
    ...['checks list', 'checks show', 'checks test', 'checks explain'],
    ...['keys list', 'keys rotate'],
    ...['passwords list', 'passwords set', 'passwords remove', 'passwords upgrade'],
    ...['groups list', 'groups add', 'groups remove'],
    ...['delivery list', 'delivery retry', 'delivery test'],
    ...['log list', 'log verify', 'completion', 'site-package', 'store copy'],
  ]) {
    t.true(names.includes(name), name);
  }
});

for (const path of PATHS) {
  test(`penguindome ${path.join(' ')} --help describes, shows examples, and names --json and --config`, async (t) => {
    let help = '';
    const program = tree((text) => {
      help += text;
    });
    await t.throwsAsync(program.parseAsync([...path, '--help'], { from: 'user' }), { message: '(outputHelp)' });
    t.regex(help, /^Usage: penguindome [^\n]+\n\n\S[^\n]{10}/, 'a description');
    t.regex(help, /\nExamples?:\n {2}(\S.*)?penguindome /);
    t.regex(help, /\n {2}--json /);
    t.regex(help, /\n {2}--config <file> /);
  });
}

/** What a command that is given these words would do, had it been the real one: nothing but what the log's hook does. */
async function isLogged(path: string): Promise<boolean> {
  const program = tree();
  const command = everyCommand(program).find((each) => pathOf(each) === path);
  if (command === undefined) throw new Error(`cannot find ${path}`);
  command
    .allowUnknownOption()
    .allowExcessArguments()
    .action(() => undefined);
  const options = command.options.flatMap(({ mandatory, long, argChoices }) =>
    mandatory && long ? [long, argChoices?.[0] ?? 'x'] : [],
  );
  // a number is also a name
  const given = [...options, ...command.registeredArguments.map(({ argChoices }) => argChoices?.[0] ?? '1')];
  // who is asked for, is logged: the first thing that the log wants to know
  let asked = false;
  const world: LogWorld = {
    version: '0.0.0',
    pid: 1,
    operator: async () => {
      asked = true;
      throw new Error('enough');
    },
    tell: async () => undefined,
  };
  logCommands(program, toBeLogged, world);
  await program.parseAsync([...path.split(' '), ...given], { from: 'user' }).catch(() => undefined);
  return asked;
}

const toBeLogged = {
  ...operatorContext(),
  settingsFile: () => '/none/server.yml',
};

const LEAVES = everyCommand(tree())
  .filter(({ commands }) => commands.length === 0)
  .map(pathOf);

for (const path of LEAVES) {
  const why = UNLOGGED.get(path);
  test(`penguindome ${path} is ${why === undefined ? 'in the operator log' : `not in the operator log: ${why}`}`, async (t) => {
    t.is(await isLogged(path), why === undefined);
  });
}

test('what is called as something that reads is on the list of what is not logged, and nothing else', (t) => {
  const reads = LEAVES.filter((path) => /(^| )(list|show|get|history|explain|verify|status|completion)$/.test(path));
  t.deepEqual(
    reads.filter((path) => !UNLOGGED.has(path)),
    [],
    'say in unlogged-commands.ts that it only reads',
  );
  t.deepEqual(
    [...UNLOGGED.keys()].filter((path) => !LEAVES.includes(path)),
    [],
    'commands that are no more',
  );
});
