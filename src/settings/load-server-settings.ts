import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { checkServerSettings } from './check-server-settings.ts';
import { describeIssue, type Finding } from './describe-issue.ts';
import { type KeyPath, readYaml, type YamlFile } from './read-yaml.ts';
import { knownKeys, nearest } from './schema-at.ts';
import { type ServerSettings, serverSettings } from './server-settings.ts';
import { SettingsError, type SettingsProblem } from './settings-error.ts';

/**
 * Reads and checks the server's settings. Relative paths in it count from the file's own folder.
 * @throws SettingsError with every problem: file, line, key, what was expected and what was found
 */
export async function loadServerSettings(file: string): Promise<ServerSettings> {
  return parseServerSettings(await readSettingsFile(file), file);
}

/** @throws SettingsError where the file is not there or may not be read */
export async function readSettingsFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const problem = { file, key: '', expected: 'a file that can be read', found: whyUnreadable(cause) };
    throw new SettingsError(file, [problem], { cause });
  }
}

/** @param file names the problems, and is where relative paths count from */
export function parseServerSettings(text: string, file: string): ServerSettings {
  const yaml = readYaml(text, file);
  if (Array.isArray(yaml)) throw new SettingsError(file, yaml);
  const value = withoutNulls(yaml.value) ?? {};
  const parsed = serverSettings.safeParse(value);
  if (!parsed.success) {
    const findings = parsed.error.issues.flatMap((issue) => describeIssue(issue));
    throw new SettingsError(file, findings.map((finding) => problemOf(finding, value, yaml, file)).sort(byLine));
  }
  const contradictions = checkServerSettings(parsed.data);
  if (contradictions.length > 0) {
    const problems = contradictions.map((finding) => ({
      ...problemOf(finding, value, yaml, file),
      ...foundOf(finding),
    }));
    throw new SettingsError(file, problems.sort(byLine));
  }
  return withAbsolutePaths(parsed.data, dirname(resolve(file)));
}

function problemOf(
  { path, expected, unknown }: Finding,
  value: unknown,
  yaml: YamlFile,
  file: string,
): SettingsProblem {
  const line = yaml.lineOf(path);
  const found = unknown ? describeUnknown(path) : describeValue(path, valueAtPath(value, path));
  return { file, ...(line === undefined ? {} : { line }), key: path.join('.'), expected, found };
}

function foundOf({ found }: { found?: string }): { found?: string } {
  return found === undefined ? {} : { found };
}

/** The value of an unknown key is never shown: it may be a password in the wrong place. */
function describeUnknown(path: KeyPath): string {
  const known = knownKeys(serverSettings, path.slice(0, -1));
  const meant = nearest(String(path.at(-1)), known);
  return meant === undefined
    ? `an unknown one (known here: ${known.join(', ')})`
    : `an unknown one; did you mean ${meant}?`;
}

const SECRET = /pass|secret|token|credential/i;
const LONGEST_SHOWN = 60;

function describeValue(path: KeyPath, value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a group of keys';
  if (path.some((step) => SECRET.test(String(step)))) return `a ${typeof value}`;
  const text = JSON.stringify(value).replace(/\/\/[^/@]*@/, '//…@');
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

function valueAtPath(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (at, step) => (typeof at === 'object' && at !== null ? Reflect.get(at, step) : undefined),
    value,
  );
}

/** A key with nothing behind it (all of its group is commented out) is as good as absent. */
function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map((member) => (member === null ? null : withoutNulls(member)));
  if (typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) => (member === null ? [] : [[key, withoutNulls(member)]])),
  );
}

function byLine(a: SettingsProblem, b: SettingsProblem): number {
  return (a.line ?? 0) - (b.line ?? 0);
}

function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'none there (penguindome setup makes one)';
  if (code === 'EACCES') return 'one that this user may not read';
  if (code === 'EISDIR') return 'a folder';
  return messageOf(error);
}

function withAbsolutePaths(settings: ServerSettings, folder: string): ServerSettings {
  const absolute = (path: string): string => (isAbsolute(path) ? path : resolve(folder, path));
  const { store, ports, v1 } = settings;
  return {
    ...settings,
    ports: ports.map(({ tls, ...port }) => ({
      ...port,
      tls: tls && { certificate: absolute(tls.certificate), key: absolute(tls.key) },
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
  };
}
