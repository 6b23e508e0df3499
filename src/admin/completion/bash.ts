import type { Completable } from './completable.ts';
import { posixTables } from './posix-tables.ts';

/** For bash 4.1 and later; the package bash-completion is not needed. */
export function bashCompletion(program: string, tree: readonly Completable[]): string {
  const name = `_${program.replaceAll('-', '_')}`;
  return `# bash completion for ${program}, made from its own commands

${posixTables(name, tree)}

${name}() {
  local at wanted operands kind line
  local cur=\${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  ${name}_read "\${COMP_WORDS[@]:1:COMP_CWORD-1}"
  if [[ $cur == = ]]; then cur=; fi
  if [[ $cur == -* ]]; then
    while IFS= read -r line; do
      if [[ $line == "$cur"* ]]; then COMPREPLY+=("$line"); fi
    done < <(${name}_options "$at")
    return
  fi
  {
    IFS= read -r kind
    case \${kind%...} in
      file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
      folder) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
      words)
        while IFS= read -r line; do
          if [[ $line == "$cur"* ]]; then COMPREPLY+=("$line"); fi
        done
        ;;
      hosts | issues)
        while IFS= read -r line; do
          if [[ $line == "$cur"* ]]; then COMPREPLY+=("$line"); fi
        done < <("\${COMP_WORDS[0]}" completion-names "\${kind%...}" 2>/dev/null)
        ;;
    esac
  } < <(${name}_next)
}

complete -F ${name} ${program}
`;
}
