import type { Argument, Command, Option } from 'commander';

/** What may stand in a place of the command line. `words`: one of these; `other`: what nobody can list. */
export type Value =
  | { kind: 'words'; words: readonly string[] }
  | { kind: 'file' | 'folder' | 'hosts' | 'issues' | 'other' };

export interface CompletableOption {
  /** `--host`, or `-h` where it has no long name */
  name: string;
  description: string;
  /** absent: it takes none */
  value?: Value & { repeated: boolean };
}

/** A command of the tree, as far as a shell needs to know it. */
export interface Completable {
  /** `hosts lost`; empty for the program itself */
  path: string;
  commands: { name: string; description: string }[];
  options: CompletableOption[];
  operands: Value[];
  /** the last operand may be repeated */
  variadic: boolean;
}

/** All commands of a tree that help shows, the program itself first. Options of the program are options of each. */
export function completables(program: Command): Completable[] {
  const everywhere = optionsOf(program);
  const below = (command: Command, path: string): Completable[] => {
    const members = visibleMembers(command);
    return [
      {
        path,
        commands: members.map((member) => ({ name: member.name(), description: member.description() })),
        options: command === program ? everywhere : [...optionsOf(command), ...everywhere],
        operands: command.registeredArguments.map(valueOfArgument),
        variadic: command.registeredArguments.at(-1)?.variadic === true,
      },
      ...members.flatMap((member) => below(member, `${path} ${member.name()}`.trim())),
    ];
  };
  return below(program, '');
}

/** The commands below one, without commander's own `help` and what is hidden. */
export function visibleMembers(command: Command): Command[] {
  const shown = command.createHelp().visibleCommands(command);
  return command.commands.filter((member) => shown.includes(member));
}

function optionsOf(command: Command): CompletableOption[] {
  const options = command.options.filter(({ hidden }) => !hidden).map(describe);
  const help = { name: '--help', description: 'display help for command' };
  return options.some(({ name }) => name === '--help') || command.parent !== null ? options : [...options, help];
}

function describe(option: Option): CompletableOption {
  const { long, short, description, required, optional, variadic } = option;
  const bare = { name: long ?? short ?? '', description };
  return required || optional ? { ...bare, value: { ...valueOfOption(option), repeated: variadic } } : bare;
}

function valueOfOption(option: Option): Value {
  if (option.argChoices !== undefined) return { kind: 'words', words: option.argChoices };
  const placeholder = /[<[]([^>\].]+)/.exec(option.flags)?.[1] ?? '';
  const name = option.attributeName();
  return { kind: kindOf(name === 'issueName' || name === 'issue' ? 'issue' : placeholder) };
}

function valueOfArgument(argument: Argument): Value {
  if (argument.argChoices !== undefined) return { kind: 'words', words: argument.argChoices };
  return { kind: kindOf(argument.name()) };
}

function kindOf(name: string): 'file' | 'folder' | 'hosts' | 'issues' | 'other' {
  if (/^(hosts?|hostnames?|key-or-host)$/.test(name)) return 'hosts';
  if (/^(issues?|issue-names?|check)$/.test(name)) return 'issues';
  if (/(^|-)files?$/.test(name) || name === 'key') return 'file';
  return /^(dir|folder)$/.test(name) ? 'folder' : 'other';
}
