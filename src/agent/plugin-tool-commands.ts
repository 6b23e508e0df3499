import { type Command, InvalidArgumentError, Option } from 'commander';
import { minutes, parseDuration } from '../core/duration.ts';
import type { SessionKind } from './graphical-sessions.ts';
import { LEVEL_NAMES } from './plugin-log.ts';
import type { Session } from './session.ts';

type Act = (command: (session: Session) => Promise<number>) => Promise<void>;

const load = () => import('./command-plugin-tool.ts');

const HELP = `
A plugin calls it as "$PENGUINDOME_TOOL", which is this command; it reaches the plugin's own cache, state and settings alone.

Examples:
  echo '{"users": ["ann"]}' | "$PENGUINDOME_TOOL" cache put seen
  "$PENGUINDOME_TOOL" cache get seen
  "$PENGUINDOME_TOOL" setting .max_age_days
  "$PENGUINDOME_TOOL" user-run ann -- gsettings get org.gnome.desktop.screensaver lock-enabled

See docs/plugins.md.`;

/** `penguindome-agent plugin-tool …` */
export function addPluginTool(program: Command, act: Act): void {
  const tool = program.command('plugin-tool').description('what plugins use').addHelpText('after', HELP);
  addCache(tool, act);
  addOwn(tool, act);
  addUsers(tool, act);
}

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  "$PENGUINDOME_TOOL" ${line}`).join('\n')}`;
}

function addCache(tool: Command, act: Act): void {
  const cache = tool
    .command('cache')
    .description('what the plugin keeps for its next run, with the time of keeping')
    .addHelpText('after', examples('cache get seen'));
  cache
    .command('get')
    .argument('<name>', 'letters, digits, - and _')
    .description('print {"at", "value"}; status 1 where there is nothing')
    .addHelpText('after', examples('cache get seen'))
    .action((name: string) => act(async (session) => (await load()).toolCacheGet(session, name)));
  cache
    .command('put')
    .argument('<name>', 'letters, digits, - and _')
    .description('keep the JSON value that stands on standard input')
    .addHelpText('after', examples('cache put seen < value.json'))
    .action((name: string) => act(async (session) => (await load()).toolCachePut(session, name)));
}

function addOwn(tool: Command, act: Act): void {
  tool
    .command('state-directory')
    .description("print the path of the plugin's own folder")
    .addHelpText('after', examples('state-directory'))
    .action(() => act(async (session) => (await load()).toolStateDirectory(session)));
  tool
    .command('setting')
    .argument('<path>', "names with dots between them; the plugin's own begin with a dot")
    .description('print a setting; status 1 where it is not set. Secrets are never told')
    .addHelpText('after', examples('setting .max_age_days'))
    .action((path: string) => act(async (session) => (await load()).toolSetting(session, path)));
  tool
    .command('log')
    .argument('<level>', LEVEL_NAMES.join(', '))
    .argument('<message...>')
    .description('write a line that the agent shows where it collects, with the name of the plugin')
    .addHelpText('after', examples("log warning 'no sensor found'"))
    .action((level: string, words: string[]) =>
      act(async (session) => (await load()).toolLog(session, level, words.join(' '))),
    );
}

function addUsers(tool: Command, act: Act): void {
  const kinds: SessionKind[] = ['graphical', 'x', 'xinit', 'greetd'];
  const users = tool
    .command('users')
    .description('print who is logged in graphically, as logind knows')
    .addHelpText('after', examples('users', 'users --x'));
  for (const kind of kinds) {
    const others = kinds.filter((one) => one !== kind);
    users.addOption(new Option(`--${kind}`, EXPLAINED[kind]).conflicts(others));
  }
  users.action((options: Partial<Record<SessionKind, true>>) =>
    act(async (session) =>
      (await load()).toolUsers(session, kinds.find((kind) => options[kind] === true) ?? 'graphical'),
    ),
  );
  tool
    .command('user-run')
    .argument('<user>', 'who is logged in, and not root')
    .argument('<command...>', 'behind --: a program of the system, or an absolute path, and its arguments')
    .option('--timeout <duration>', 'after which it is killed, such as 30s', duration, minutes(1))
    .description("run a command as a logged-in user, in that user's D-Bus session")
    .addHelpText('after', examples('user-run --timeout 30s ann -- gsettings list-schemas'))
    .action((user: string, [program = '', ...args]: string[], { timeout }: { timeout: number }) =>
      act(async (session) => (await load()).toolUserRun(session, user, [program, ...args], timeout)),
    );
}

const EXPLAINED: Readonly<Record<SessionKind, string>> = {
  graphical: 'in any graphical session (the default)',
  x: 'in a session of X',
  xinit: 'in a session that xinit (startx) began',
  greetd: 'in a session that greetd began',
};

function duration(text: string): number {
  const parsed = parseDuration(text);
  if (parsed === undefined || parsed === 0) throw new InvalidArgumentError('expected such as 30s, 2m');
  return parsed;
}
