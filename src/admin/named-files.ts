import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { certificatesOf } from '../settings/port-certificates.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import { tlsFolder } from '../settings/tls-folder.ts';
import type { KeyFile } from '../store/backup/format.ts';
import { isMissing } from './ensure-files.ts';

interface Named {
  /** the setting that names it */
  setting: string;
  path: string;
  /** of a folder: its files of these names */
  files?: RegExp;
}

const PREFIX = 'named/';

/**
 * What the settings name beside the server's own folders: the site's checks and templates, holidays, certificates and passwords elsewhere.
 * Advisories are not among them: they come from elsewhere, and can be fetched again.
 * @param note hears of each that cannot be read: a backup without it is better than none
 */
export async function readNamedFiles(settings: ServerSettings, note: (text: string) => void): Promise<KeyFile[]> {
  const files: KeyFile[] = [];
  for (const named of namedIn(settings)) {
    try {
      for (const [name, path] of await filesOf(named)) files.push(await readKeyFile(`${PREFIX}${name}`, path));
    } catch (error) {
      note(`${named.setting} is not in the backup: ${messageOf(error)}`);
    }
  }
  return files;
}

/** Where such a file of a backup goes, as these settings say. @returns undefined where they name nothing there */
export function placeOfNamed({ file }: Pick<KeyFile, 'file'>, settings: ServerSettings): string | undefined {
  const [setting, name] = file.slice(PREFIX.length).split('/');
  const named = namedIn(settings).find((each) => each.setting === setting);
  if (named === undefined) return undefined;
  if (name === undefined) return named.files === undefined ? named.path : undefined;
  return named.files?.test(name) ? join(named.path, name) : undefined;
}

export function isNamed({ file }: Pick<KeyFile, 'file'>): boolean {
  return file.startsWith(PREFIX);
}

function namedIn(settings: ServerSettings): Named[] {
  const { ports, store, checks, audit, delivery, v1 } = settings;
  const own = [settings.pki, settings.keys, tlsFolder(settings)];
  const { smtp, webhooks, templates } = delivery;
  const file = (setting: string, path: string | undefined): Named[] =>
    path === undefined || own.includes(dirname(path)) ? [] : [{ setting, path }];
  return [
    ...checks.map((path, index) => ({ setting: `checks.${index}`, path, files: /\.ya?ml$/ })),
    ...(templates === undefined ? [] : [{ setting: 'delivery.templates', path: templates, files: /./ }]),
    ...audit.business.holiday_files.flatMap((path, index) => file(`holiday_files.${index}`, path)),
    ...ports.flatMap(({ tls }, port) =>
      (tls === false ? [] : certificatesOf(tls)).flatMap(({ certificate, key }, index) => [
        ...file(`ports.${port}.${index}.certificate`, certificate),
        ...file(`ports.${port}.${index}.key`, key),
      ]),
    ),
    ...(store.kind === 'mongo'
      ? [...file('store.password_file', store.password_file), ...file('store.ca', store.ca)]
      : []),
    ...file('v1.client_key', v1.client_key),
    ...file('smtp.ca', smtp?.ca),
    ...file('smtp.password_file', smtp?.password_file),
    ...webhooks.flatMap(({ ca, secret_file, url_file }, index) => [
      ...file(`webhooks.${index}.ca`, ca),
      ...file(`webhooks.${index}.secret_file`, secret_file),
      ...file(`webhooks.${index}.url_file`, url_file),
    ]),
  ];
}

async function filesOf({ setting, path, files }: Named): Promise<[name: string, path: string][]> {
  if (files === undefined) return [[setting, path]];
  const entries = await readdir(path, { withFileTypes: true }).catch(ignoreMissing);
  const names = entries.filter((each) => each.isFile() && !each.name.startsWith('.') && files.test(each.name));
  return names.map(({ name }) => [`${setting}/${name}`, join(path, name)]);
}

/** A folder that is not there yet holds nothing. */
function ignoreMissing(cause: unknown): [] {
  if (isMissing(cause)) return [];
  throw cause;
}

export async function readKeyFile(file: string, path: string): Promise<KeyFile> {
  const [content, { mode }] = await Promise.all([readFile(path), stat(path)]);
  return { file, mode: mode & 0o777, content };
}
