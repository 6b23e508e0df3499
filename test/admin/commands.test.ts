import { PassThrough } from 'node:stream';
import test from 'ava';
import type { Command } from 'commander';
import { commands } from '../../src/admin/commands.ts';
import type { AdminContext } from '../../src/admin/context.ts';
import { makeOutput } from '../../src/admin/output.ts';

const unused = (): never => {
  throw new Error('building the tree must open nothing');
};

function tree(writeOut: (text: string) => void = () => {}): Command {
  const signal = new AbortController().signal;
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const context: AdminContext = {
    settings: unused,
    settingsFile: unused,
    store: unused,
    judge: unused,
    audit: unused,
    checks: unused,
    concerns: unused,
    clock: { now: unused },
    random: { uuid: unused, bytes: unused },
    output: makeOutput(streams, { wantsJson: () => false, noColor: true, signal }),
    stdin: streams.stdin,
    stdout: streams.stdout,
    signal,
  };
  return commands(context, { version: '0.0.0', writeOut, writeError: writeOut });
}

function everyPath(command: Command, path: string[] = []): string[][] {
  return [path, ...command.commands.flatMap((member) => everyPath(member, [...path, member.name()]))];
}

const PATHS = everyPath(tree());

test('the tree holds what the product promises', (t) => {
  const names = PATHS.map((path) => path.join(' '));
  for (const name of [
    ...['setup', 'settings get', 'settings set', 'migrate', 'backup', 'restore'],
    ...['enrollment token', 'enrollment list', 'enrollment approve', 'enrollment revoke'],
    ...['hosts list', 'hosts show', 'hosts history', 'hosts forget', 'issues list', 'issues audit'],
    ...['checks list', 'checks show', 'checks test', 'checks explain'],
    ...['keys list', 'keys rotate'],
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
