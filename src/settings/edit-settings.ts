import type { Random } from '../core/world.ts';
import { type Editing, editYaml, type YamlEdit, yamlWouldChange } from './edit-yaml.ts';
import { parseServerSettings } from './load-server-settings.ts';
import type { ServerSettings } from './server-settings.ts';

/**
 * Changes the server's settings in place, as editYaml does.
 * @param edits a function: asked under the lock with the settings as they are, paths absolute
 * @returns whether the file changed
 * @throws SettingsError where the settings would not be valid; the file is as it was
 */
export function editSettings(
  world: { random: Random; signal: AbortSignal },
  file: string,
  edits: Editing<ServerSettings>['edits'],
): Promise<boolean> {
  return editYaml(world, file, { parse: (text) => parseServerSettings(text, file), edits });
}

/**
 * Whether these changes would change the file, without making them.
 * @throws SettingsError where the settings would not be valid
 */
export function wouldChange(file: string, edits: readonly YamlEdit[]): Promise<boolean> {
  return yamlWouldChange(file, { parse: (text) => parseServerSettings(text, file), edits });
}
