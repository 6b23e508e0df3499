import type { AgentSettings } from '../settings/agent-settings.ts';

/**
 * Keys that are not told, wherever they stand: those that end in a word for a secret, however it is joined to what comes before (`api_key`,
 * `apiKey`, `apikey`, `tokens`). The settings hold no secrets; somebody may have written one there all the same.
 */
const SECRET =
  /(?:passw(?:or)?d|passphrase|pwd|secret|token|credential)s?$|(?:^|[^a-z]|api|auth|access|private|secret|license|signing)(?:key|pass|pin)s?$/i;
const SECRET_CAMEL = /[a-z0-9](?:Key|Pass|Pin|PIN)s?$/;

/**
 * One setting, as plugins may see it: names with dots between them; those of the plugin itself (`plugins.settings.NAME`) begin with a dot.
 * @param plugin undefined where no plugin asks
 * @returns undefined where nothing is set, or it is another plugin's or a secret
 */
export function settingAt(settings: AgentSettings, path: string, plugin: string | undefined): unknown {
  const { settings: ofPlugins, ...plugins } = settings.plugins;
  const own = plugin !== undefined && Object.hasOwn(ofPlugins, plugin) ? ofPlugins[plugin] : {};
  let value: unknown = path.startsWith('.') ? own : { ...settings, plugins };
  for (const name of path.replace(/^\./, '').split('.')) {
    if (!isGroup(value) || !Object.hasOwn(value, name) || isSecret(name)) return undefined;
    value = value[name];
  }
  return withoutSecrets(value);
}

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (!isGroup(value)) return value;
  const told = Object.entries(value).filter(([name]) => !isSecret(name));
  return Object.fromEntries(told.map(([name, member]) => [name, withoutSecrets(member)]));
}

function isSecret(name: string): boolean {
  return SECRET.test(name) || SECRET_CAMEL.test(name);
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
