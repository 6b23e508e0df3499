import { stringify } from 'yaml';
import type { PlainGroup } from '../../settings/agent-settings-file.ts';
import type { TarFile } from '../../wire/tar.ts';

export const NAME = 'penguindome-site';
export const SUMMARY = 'device management: this site, for the agent of PenguinDome';
export const SETTINGS = 'etc/penguindome/agent.d/50-site.yml';
/** Where penguindome-enroll.path and .timer look. */
export const TOKEN = 'etc/penguindome/enrollment-token';

/** A package before it has a format. The same one makes the same bytes. */
export interface SitePackage {
  version: string;
  /** seconds since 1970: of every file */
  at: number;
  /** what agents connect to */
  url: string;
  /** without folders */
  files: TarFile[];
}

/** @param token its text: URL, CA or pin, keys and secret in one line */
export function siteFiles(url: string, token: string, settings: PlainGroup): TarFile[] {
  return [
    settingsFile(`the package ${NAME}`, { url, ...settings }),
    { path: TOKEN, mode: 0o600, content: Buffer.from(`${token}\n`) },
  ];
}

/** @param from what brings it */
export function settingsFile(from: string, settings: PlainGroup): TarFile {
  const text = `# Of ${from}. What a later file of this folder says goes before this one.\n${stringify(settings)}`;
  return { path: SETTINGS, mode: 0o644, content: Buffer.from(text) };
}

/** With the folders that they lie in, each before what is in it. */
export function withFolders(files: readonly TarFile[]): TarFile[] {
  const folders = new Set<string>();
  for (const { path } of files) {
    for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) folders.add(path.slice(0, at + 1));
  }
  const entries = [...folders].map((path) => ({ path, mode: 0o755, content: new Uint8Array() }));
  return [...entries, ...files].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Who made it: there is nobody but the site. */
export function makerOf(url: string): string {
  return `PenguinDome site <root@${new URL(url).hostname.replace(/^\[|\]$/g, '')}>`;
}

export function sizeOf(files: readonly TarFile[]): number {
  return files.reduce((size, { content }) => size + content.length, 0);
}
