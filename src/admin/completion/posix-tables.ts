import type { Completable, Value } from './completable.ts';

/** For bash and zsh: what the tree is, as functions of one `case` each, and the one that reads the words so far. */
export function posixTables(name: string, tree: readonly Completable[]): string {
  const table = (suffix: string, about: string, rows: string[]) =>
    [`# ${about}`, `${name}_${suffix}() {`, '  case $1 in', ...rows, '    *) return 1 ;;', '  esac', '}'].join('\n');
  return [
    table(
      'commands',
      'COMMAND: the commands below it',
      tree.flatMap(({ path, commands }) =>
        rowOf(
          path,
          commands.map((each) => each.name),
        ),
      ),
    ),
    table(
      'options',
      'COMMAND: its options',
      tree.flatMap(({ path, options }) =>
        rowOf(
          path,
          options.map((each) => each.name),
        ),
      ),
    ),
    table(
      'value',
      'COMMAND OPTION: what its value is',
      tree.flatMap(({ path, options }) =>
        options.flatMap((each) =>
          each.value === undefined ? [] : rowOf(`${path} ${each.name}`.trim(), kindWords(each.value)),
        ),
      ),
    ),
    table(
      'operand',
      'COMMAND NUMBER: what its argument is',
      tree.flatMap(({ path, operands, variadic }) =>
        operands.flatMap((value, index) => {
          const last = variadic && index === operands.length - 1;
          return rowOf(last ? `${path} *` : `${path} ${index + 1}`, kindWords({ ...value, repeated: last }));
        }),
      ),
    ),
    readWords(name),
  ].join('\n\n');
}

function rowOf(pattern: string, words: readonly string[]): string[] {
  if (words.length === 0) return [];
  // the star of a repeated argument stands for its number
  const [, path, star] = /^(.*?)( \*)?$/.exec(pattern) ?? [];
  return [
    `    ${quote(path ?? '')}${star === undefined ? '' : "' '*"}) printf '%s\\n' ${words.map(quote).join(' ')} ;;`,
  ];
}

function kindWords(value: Value & { repeated: boolean }): string[] {
  const kind = value.repeated ? `${value.kind}...` : value.kind;
  return value.kind === 'words' ? [kind, ...value.words] : [kind];
}

/** Safe in sh, whatever the text: a quotation mark ends the quoted part, stands by itself, and begins another. */
export function quote(text: string): string {
  return /^[A-Za-z0-9_./=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Sets `at` (the command), `wanted` (the option whose value comes next) and `operands` (how many arguments there are). */
function readWords(name: string): string {
  return `# WORD...: reads the words before the one that is asked for
${name}_read() {
  local word kind rest=
  at= wanted= operands=0
  for word in "$@"; do
    if [[ -n $rest ]]; then
      operands=$((operands + 1))
    elif [[ $word == -- ]]; then
      rest=1 wanted=
    elif [[ $word == -?*=* ]]; then
      wanted=
    elif [[ $word == -?* ]]; then
      wanted=
      if ${name}_value "\${at:+$at }$word" >/dev/null; then wanted=$word; fi
    elif [[ -n $wanted ]]; then
      # readline makes three words of --option=value
      if [[ $word != '=' ]]; then
        kind=$(${name}_value "\${at:+$at }$wanted")
        if [[ \${kind%%$'\\n'*} != *... ]]; then wanted=; fi
      fi
    elif ${name}_commands "$at" | grep -qxF -- "$word"; then
      at="\${at:+$at }$word"
    else
      operands=$((operands + 1))
    fi
  done
}

# what may stand next: the kind, and behind it the words of which it is one
${name}_next() {
  if [[ -n $wanted ]]; then
    ${name}_value "\${at:+$at }$wanted"
  elif ${name}_commands "$at" >/dev/null; then
    echo words
    ${name}_commands "$at"
  else
    ${name}_operand "$at $((operands + 1))"
  fi
}`;
}
