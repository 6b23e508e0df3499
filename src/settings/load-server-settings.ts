import { dirname, isAbsolute, resolve } from 'node:path';
import { checkServerSettings } from './check-server-settings.ts';
import { parseSettingsFile, readSettingsFile } from './parse-settings-file.ts';
import type { TlsFiles } from './port-certificates.ts';
import { type ServerSettings, serverSettings } from './server-settings.ts';

/**
 * Reads and checks the server's settings. Relative paths in it count from the file's own folder.
 * @throws SettingsError with every problem: file, line, key, what was expected and what was found
 */
export async function loadServerSettings(file: string): Promise<ServerSettings> {
  return parseServerSettings(await readSettingsFile(file), file);
}

/** @param file names the problems, and is where relative paths count from */
export function parseServerSettings(text: string, file: string): ServerSettings {
  const settings = parseSettingsFile({ text, file }, serverSettings, checkServerSettings);
  return withAbsolutePaths(settings, dirname(resolve(file)));
}

function withAbsolutePaths(settings: ServerSettings, folder: string): ServerSettings {
  const absolute = (path: string): string => (isAbsolute(path) ? path : resolve(folder, path));
  const files = ({ certificate, key }: TlsFiles) => ({ certificate: absolute(certificate), key: absolute(key) });
  const { store, ports, v1, delivery } = settings;
  const maybe = <K extends string>(group: { [key in K]?: string | undefined }, ...keys: K[]) =>
    Object.fromEntries(keys.flatMap((key) => (group[key] === undefined ? [] : [[key, absolute(group[key])]])));
  return {
    ...settings,
    ports: ports.map(({ tls, ...port }) => ({
      ...port,
      tls: tls && { ...files(tls), ...(tls.also === undefined ? {} : { also: tls.also.map(files) }) },
    })),
    store:
      store.kind === 'embedded'
        ? { ...store, file: absolute(store.file) }
        : {
            ...store,
            ...(store.password_file === undefined ? {} : { password_file: absolute(store.password_file) }),
            ...(store.ca === undefined ? {} : { ca: absolute(store.ca) }),
          },
    state: absolute(settings.state),
    pki: absolute(settings.pki),
    keys: absolute(settings.keys),
    accounts: absolute(settings.accounts),
    checks: settings.checks.map(absolute),
    audit: {
      ...settings.audit,
      business: {
        ...settings.audit.business,
        holiday_files: settings.audit.business.holiday_files.map(absolute),
      },
    },
    ...(settings.advisories === undefined ? {} : { advisories: absolute(settings.advisories) }),
    v1: { ...v1, ...(v1.client_key === undefined ? {} : { client_key: absolute(v1.client_key) }) },
    delivery: {
      ...delivery,
      ...(delivery.templates === undefined ? {} : { templates: absolute(delivery.templates) }),
      ...(delivery.smtp && { smtp: { ...delivery.smtp, ...maybe(delivery.smtp, 'ca', 'password_file') } }),
      webhooks: delivery.webhooks.map((webhook) => ({
        ...webhook,
        ...maybe(webhook, 'ca', 'secret_file', 'url_file'),
      })),
    },
  };
}
