import { basename, join } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import { mergeSettings, type PlainGroup } from '../../settings/agent-settings-file.ts';
import { readSiteFile, WANTED_FILE } from '../../settings/read-site-file.ts';
import type { Manifest } from '../../wire/v2/order.ts';
import { hasCode } from '../has-code.ts';
import type { Places } from '../places.ts';
import { readHostile } from '../read-hostile.ts';
import { sha256Of } from './read-verified.ts';
import { readSiteManifest, type SiteManifest } from './site-manifest.ts';

type Wanted = Extract<Manifest, { kind: 'settings' }>['wanted'];

const LARGEST = 1024 * 1024;
/** A word that YAML takes for a text (read-plain-yaml.ts). */
const WORD = /^[A-Za-z][A-Za-z0-9._/-]*$/;
const NO_TEXT = /^(?:null|true|false|yes|no|on|off|y|n)$/i;

export interface SiteSettings {
  value: PlainGroup;
  /** files that were left out, and why */
  problems: string[];
}

/**
 * What orders brought of the agent's settings. A file that is not, byte for byte, what an order brought is left out, as is one that sets what a server may not want.
 * Whoever may not read them (the submitter) needs none of them.
 */
export async function readSiteSettings(places: Pick<Places, 'site'>): Promise<SiteSettings> {
  const read: SiteSettings = { value: {}, problems: [] };
  let manifest: SiteManifest;
  try {
    manifest = await readSiteManifest(places);
  } catch (error) {
    return hasCode(error, 'EACCES', 'EPERM') ? read : { value: {}, problems: [messageOf(error)] };
  }
  for (const path of filesOf(manifest)) {
    try {
      const value = await readOne(join(places.site.settings, basename(path)), manifest.files[path]?.sha256);
      read.value = { ...Object(mergeSettings(read.value, value)) };
    } catch (error) {
      read.problems.push(messageOf(error));
    }
  }
  return read;
}

/** Nothing where nothing is wanted. */
export function wantedText({ collect_interval, submit_interval, collectors }: Wanted): string {
  const lines = [
    ...(collect_interval === undefined ? [] : [`collect_interval: ${collect_interval}`]),
    ...(submit_interval === undefined ? [] : [`submit_interval: ${submit_interval}`]),
    ...(collectors?.disabled === undefined
      ? []
      : ['collectors:', `  disabled: [${collectors.disabled.map(written).join(', ')}]`]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function filesOf({ files }: SiteManifest): string[] {
  const paths = Object.keys(files).filter((path) => /^settings\/[^/]+\.yml$/.test(path) && path !== WANTED_FILE);
  return [...paths.sort(), ...(WANTED_FILE in files ? [WANTED_FILE] : [])];
}

async function readOne(path: string, sha256: string | undefined): Promise<unknown> {
  const bytes = await readHostile(path, LARGEST);
  if (bytes === undefined) throw new Error(`cannot use ${path}: it is missing`);
  if (sha256Of(bytes) !== sha256) throw new Error(`cannot use ${path}: it is not what an order brought`);
  const read = await readSiteFile(path, bytes);
  if ('fault' in read) throw new Error(`cannot use ${path}: ${read.fault}`);
  return read.value;
}

function written(name: string): string {
  return WORD.test(name) && !NO_TEXT.test(name) ? name : JSON.stringify(name);
}
