import type { HostAccess } from '../../collector.ts';
import { type IdleRules, judgeIdleRules } from './idle-rules.ts';
import { cannotTell, first, type GraphicalUser, type Lock, type Locker, never } from './lock.ts';
import { parseHypridle } from './parse-hypridle.ts';
import { addSwayidleEvents, addSwayidleFile, configOfSwayidle } from './parse-swayidle.ts';
import { argumentsOf, named, type Process } from './processes.ts';
import { usersFile } from './users-file.ts';

/** sway, Hyprland and their like lock when somebody tells them to: an idle daemon, which the user has started. */
export const wayland: Locker = {
  look: async (host, user) => {
    if (!host.isRoot) throw new Error("only root can read somebody else's settings");
    const locks: Lock[] = [];
    const swayidle = named(user.processes, 'swayidle');
    const hypridle = named(user.processes, 'hypridle');
    if (swayidle !== undefined) locks.push(await lookAtSwayidle(host, user, swayidle));
    if (hypridle !== undefined) locks.push(await lookAtHypridle(host, user, hypridle));
    return first(locks) ?? never('neither swayidle nor hypridle runs');
  },
  userCanChange: async () => true,
};

async function lookAtSwayidle(host: HostAccess, user: GraphicalUser, process: Process): Promise<Lock> {
  const args = (await argumentsOf(host, process)).slice(1);
  const rules: IdleRules = { timeouts: [] };
  const own = configOfSwayidle(args);
  const text = await firstText(host, user, [
    ...(own === undefined ? [] : [own]),
    `${configHome(user)}/swayidle/config`,
    `${user.home}/.swayidle/config`,
    '/etc/swayidle/config',
  ]);
  if (text !== undefined) addSwayidleFile(text, rules);
  addSwayidleEvents(args, rules);
  return judgeIdleRules(rules);
}

async function lookAtHypridle(host: HostAccess, user: GraphicalUser, process: Process): Promise<Lock> {
  const args = await argumentsOf(host, process);
  const at = args.findIndex((arg) => arg === '-c' || arg === '--config');
  const own = at === -1 ? undefined : args[at + 1];
  const text = await firstText(host, user, [
    ...(own === undefined ? [] : [own]),
    `${configHome(user)}/hypr/hypridle.conf`,
    '/etc/xdg/hypr/hypridle.conf',
  ]);
  if (text === undefined) return cannotTell('hypridle runs, and its settings are not found');
  return judgeIdleRules(parseHypridle(text));
}

function configHome({ env, home }: GraphicalUser): string {
  return env['XDG_CONFIG_HOME'] || `${home}/.config`;
}

/** The first that is there, as the daemon itself looks for it. */
async function firstText(host: HostAccess, user: GraphicalUser, paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const text = path.startsWith('/') ? await usersFile(host, user, path) : undefined;
    if (text !== undefined) return text;
  }
  return undefined;
}
