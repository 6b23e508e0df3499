import { completionScript, type Shell } from '../../src/admin/completion.ts';
import { fileOf, writePage } from './page.ts';
import { allPages } from './pages.ts';
import { agentTree, operatorTree } from './trees.ts';

/** What packages bring beside the programs: path below build/ → content. */
export function manualFiles(exitCodes: string, edition: { version: string; day: string }): Map<string, string> {
  const pages = allPages(exitCodes).map((page): [string, string] => [`man/${fileOf(page)}`, writePage(page, edition)]);
  const shells: Shell[] = ['bash', 'zsh', 'fish'];
  const scripts = [operatorTree, agentTree].flatMap((make) =>
    shells.map((shell): [string, string] => {
      const tree = make();
      return [`completions/${tree.name()}.${shell}`, completionScript(shell, tree)];
    }),
  );
  return new Map([...pages, ...scripts]);
}
