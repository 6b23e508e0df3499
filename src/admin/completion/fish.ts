import type { Completable, CompletableOption, Value } from './completable.ts';

/** For fish 3 and later. */
export function fishCompletion(program: string, tree: readonly Completable[]): string {
  const name = `__${program.replaceAll('-', '_')}`;
  const [root] = tree;
  const everywhere = root?.options ?? [];
  const lines = tree.flatMap((each) => [
    ...commandLines(program, name, each),
    ...optionLines(program, name, each, everywhere),
  ]);
  return `# fish completion for ${program}, made from its own commands

# the options that take a value, each behind its command
function ${name}_takes_value
  contains -- "$argv[1]" ${valued(tree).map(quote).join(' ')}
end

# prints the command that the words so far come to, and how many arguments there are behind it
function ${name}_at
  set -l at ''
  set -l operands 0
  set -l skip 0
  for word in (commandline -opc)[2..-1]
    if test $skip = 1
      set skip 0
    else if string match -q -- '-*=*' $word
      continue
    else if string match -q -- '-*' $word
      if ${name}_takes_value (string trim -- "$at $word"); or ${name}_takes_value $word
        set skip 1
      end
    else if contains -- (string trim -- "$at $word") ${tree
      .filter(({ path }) => path !== '')
      .map(({ path }) => quote(path))
      .join(' ')}
      set at (string trim -- "$at $word")
    else
      set operands (math $operands + 1)
    end
  end
  echo "$at"
  echo $operands
end

# COMMAND [NUMBER]: whether the words so far come to that command, and to that argument of it; with + to it or a later one
function ${name}_is
  set -l found (${name}_at)
  test "$found[1]" = "$argv[1]"; or return 1
  test (count $argv) = 1; and return 0
  if string match -q -- '*+' $argv[2]
    test (math $found[2] + 1) -ge (string trim -c + -- $argv[2])
  else
    test (math $found[2] + 1) = $argv[2]
  end
end

function ${name}_names
  set -l program (commandline -opc)[1]
  command $program completion-names $argv[1] 2>/dev/null
end

complete -c ${program} -f
${everywhere.map((option) => optionLine(program, name, undefined, option)).join('\n')}
${lines.join('\n')}
`;
}

function commandLines(program: string, name: string, { path, commands, operands, variadic }: Completable): string[] {
  const words = commands.map(
    (each) =>
      `complete -c ${program} -n ${quote(`${name}_is ${quote(path)}`)} -a ${quote(each.name)} -d ${quote(each.description)}`,
  );
  const values = operands.flatMap((value, index) => {
    const number = variadic && index === operands.length - 1 ? `${index + 1}+` : `${index + 1}`;
    const what = valueWords(name, value);
    const condition = quote(`${name}_is ${quote(path)} ${number}`);
    if (what === undefined)
      return value.kind === 'file' || value.kind === 'folder' ? [`complete -c ${program} -n ${condition} -F`] : [];
    return [`complete -c ${program} -n ${condition} -a ${quote(what)}`];
  });
  return [...words, ...values];
}

function optionLines(
  program: string,
  name: string,
  { path, options }: Completable,
  everywhere: readonly CompletableOption[],
): string[] {
  return options
    .filter((option) => !everywhere.includes(option))
    .map((option) => optionLine(program, name, path, option));
}

function optionLine(program: string, name: string, path: string | undefined, option: CompletableOption): string {
  const condition = path === undefined ? '' : ` -n ${quote(`${name}_is ${quote(path)}`)}`;
  const flag = option.name.startsWith('--') ? `-l ${option.name.slice(2)}` : `-s ${option.name.slice(1)}`;
  return `complete -c ${program}${condition} ${flag}${valueFlags(name, option.value)} -d ${quote(option.description)}`;
}

function valueFlags(name: string, value: Value | undefined): string {
  if (value === undefined) return '';
  if (value.kind === 'file' || value.kind === 'folder') return ' -r -F';
  const words = valueWords(name, value);
  return words === undefined ? ' -x' : ` -x -a ${quote(words)}`;
}

function valueWords(name: string, value: Value): string | undefined {
  if (value.kind === 'words') return value.words.join(' ');
  return value.kind === 'hosts' || value.kind === 'issues' ? `(${name}_names ${value.kind})` : undefined;
}

function valued(tree: readonly Completable[]): string[] {
  const keys = tree.flatMap(({ path, options }) =>
    options.flatMap((option) => (option.value === undefined ? [] : [`${path} ${option.name}`.trim()])),
  );
  return [...new Set(keys)];
}

/** In fish's single quotes a backslash escapes the quotation mark and itself. */
function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
