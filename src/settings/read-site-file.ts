import { siteFileSettings } from './client-settings.ts';
import { findSettingsFault } from './find-settings-fault.ts';
import { readSettingsText } from './read-settings-text.ts';

/** What orders of settings write, and no other order; read after the files of releases. */
export const WANTED_FILE = 'settings/client-settings.yml';

/** What a file of settings/ that an order brings says, or what keeps it from being one, in words. */
export async function readSiteFile(path: string, content: Uint8Array): Promise<{ value: unknown } | { fault: string }> {
  if (!path.endsWith('.yml')) return { fault: 'settings are read from files that end in .yml alone' };
  const read = await readSettingsText(new TextDecoder().decode(content), path);
  if ('fault' in read) return read;
  const fault = findSettingsFault(read.value, siteFileSettings);
  return fault === undefined ? read : { fault };
}
