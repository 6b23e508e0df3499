import type { Completable } from './completable.ts';
import { posixTables, quote } from './posix-tables.ts';

/** For zsh's own completion (compinit). */
export function zshCompletion(program: string, tree: readonly Completable[]): string {
  const name = `_${program.replaceAll('-', '_')}`;
  return `#compdef ${program}
# zsh completion for ${program}, made from its own commands

${posixTables(name, tree)}

# COMMAND: the descriptions of the commands below it, and of its options
${name}_described() {
  case $1 in
${tree.map(descriptions).join('\n')}
  esac
}

${name}() {
  local at wanted operands kind cur
  local -a names described
  cur=\${words[CURRENT]}
  ${name}_read "\${(@)words[2,CURRENT-1]}"
  if [[ $cur == --*=* ]]; then
    wanted=\${cur%%=*}
    compset -P '*='
  elif [[ $cur == -* ]]; then
    described=("\${(@f)$(${name}_described "$at")}")
    described=("\${(@M)described:#-*}")
    _describe -o option described
    return
  fi
  names=("\${(@f)$(${name}_next)}")
  kind=\${names[1]%...}
  names=("\${(@)names[2,-1]}")
  case $kind in
    file) _files ;;
    folder) _files -/ ;;
    words)
      described=("\${(@f)$(${name}_described "$at")}")
      described=("\${(@)described:#-*}")
      if [[ -z $wanted ]] && ${name}_commands "$at" >/dev/null; then
        _describe command described
      else
        compadd -- "\${(@)names}"
      fi
      ;;
    hosts | issues)
      names=("\${(@f)$(\${words[1]} completion-names $kind 2>/dev/null)}")
      compadd -- "\${(@)names:#}"
      ;;
  esac
}

if [[ \${funcstack[1]} == ${name} || \${funcstack[1]} == _${program} ]]; then
  ${name} "$@"
else
  compdef ${name} ${program}
fi
`;
}

/** As _describe wants them: \`name:description\`, with colons of the name escaped. */
function descriptions({ path, commands, options }: Completable): string {
  const lines = [...commands, ...options].map(({ name, description }) =>
    quote(`${name.replaceAll(':', '\\:')}:${description.replaceAll('\n', ' ')}`),
  );
  return `    ${quote(path)}) printf '%s\\n' ${lines.join(' ')} ;;`;
}
