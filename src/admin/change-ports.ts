import { unlink } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { editSettings } from '../settings/edit-settings.ts';
import type { YamlEdit } from '../settings/edit-yaml.ts';
import type { TlsFiles } from '../settings/port-certificates.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import type { AdminContext } from './context.ts';

/** What a change of ports has written so far. */
export interface MadeFiles {
  made: string[];
}

/**
 * Changes the ports in the settings file, which says what the server takes over at its next reload.
 * Files that were made for it go again where it fails.
 * @returns whether the file changed
 */
export async function changePorts(
  context: AdminContext,
  plan: (settings: ServerSettings, files: MadeFiles) => Promise<YamlEdit[]>,
): Promise<boolean> {
  const files: MadeFiles = { made: [] };
  try {
    return await editSettings(context, context.settingsFile(), (settings) => plan(settings, files));
  } catch (error) {
    for (const file of files.made) await unlink(file).catch(() => undefined);
    throw error;
  }
}

/** As the settings file has them: relative where they are below its folder, so that the whole can be moved. */
export function asWritten(context: Pick<AdminContext, 'settingsFile'>, { certificate, key }: TlsFiles): TlsFiles {
  const folder = dirname(resolve(context.settingsFile()));
  const shortest = (file: string) => {
    const path = relative(folder, file);
    return path.startsWith('..') ? file : path;
  };
  return { certificate: shortest(certificate), key: shortest(key) };
}

const TELL = 'systemctl reload penguindome-server';

/** Says what was done, and what is left to do. */
export function tellChange(
  { output, settingsFile }: AdminContext,
  { changed, sentence, facts = {} }: { changed: boolean; sentence: string; facts?: Record<string, unknown> },
): void {
  if (output.wantsJson) {
    output.json({ changed, settings: settingsFile(), ...facts, ...(changed ? { reload: TELL } : {}) });
    return;
  }
  if (!changed) {
    output.line(`${settingsFile()} says so already`);
    return;
  }
  output.line(sentence);
  output.note(`Tell the server: ${TELL}`);
}
