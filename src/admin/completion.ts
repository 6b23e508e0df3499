import { Argument, Command } from 'commander';
import { bashCompletion } from './completion/bash.ts';
import { completables } from './completion/completable.ts';
import { fishCompletion } from './completion/fish.ts';
import { zshCompletion } from './completion/zsh.ts';
import type { AdminContext } from './context.ts';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };
export type Shell = keyof typeof SHELLS;

/** The script by which a shell completes the words of a program. @param program whose tree it is */
export function completionScript(shell: Shell, program: Command): string {
  return SHELLS[shell](program.name(), completables(program));
}

/** `penguindome completion SHELL`. @param tree all commands, once they are there */
export function completion(context: AdminContext, tree: () => Command): Command {
  return new Command('completion')
    .description('print a script that lets a shell complete commands, options, and the names of hosts and issues')
    .addArgument(new Argument('<shell>', 'which one').choices(Object.keys(SHELLS)))
    .addHelpText('after', EXAMPLES)
    .action((shell: Shell) => {
      const script = completionScript(shell, tree());
      if (context.output.wantsJson) context.output.json({ shell, script });
      else context.stdout.write(script);
    });
}

const EXAMPLES = `
Names of hosts and issues come from the store and the checks that the settings name (--config, PENGUINDOME_CONFIG), where this user
may read them. Hosts of the original protocol are not among them.

Examples:
  source <(penguindome completion bash)
  penguindome completion zsh > "\${fpath[1]}/_penguindome"
  penguindome completion fish > ~/.config/fish/completions/penguindome.fish`;
