import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { messageOf } from '../core/errors.ts';
import { type AgentSettings, agentSettings } from './agent-settings.ts';
import { describeAgentIssue, describeAgentValue } from './describe-agent-issue.ts';
import { readPlainYaml } from './read-plain-yaml.ts';
import type { KeyPath, YamlFile } from './read-yaml.ts';
import { SettingsError, type SettingsProblem } from './settings-error.ts';

interface Source {
  file: string;
  yaml: YamlFile;
}

/** Values by keys, as they stand in a file. */
export type PlainGroup = Record<string, unknown>;

/**
 * Reads agent.yml and then the files of agent.d in the order of their names; what a later file says goes before what an earlier one said:
 * groups of keys are merged, lists and values replaced. None of the files needs to be there.
 * @param below what counts where none of them says anything; no mistakes in it
 * @throws SettingsError with every problem: file, line, key, what was expected and what was found
 */
export async function loadAgentSettings(file: string, folder: string, below: PlainGroup = {}): Promise<AgentSettings> {
  const texts: SettingsText[] = [];
  for (const path of [file, ...(await filesOf(folder))]) {
    const text = await textOf(path);
    if (text !== undefined) texts.push({ path, text });
  }
  return plainSettings(texts, below) ?? settingsIn(texts, file, below);
}

/**
 * One file of settings for machines elsewhere, checked by itself.
 * @returns what it says, and nothing that it does not
 */
export async function readAgentSettings(file: string): Promise<PlainGroup> {
  const text = await textOf(file);
  if (text === undefined) throw unreadable(file, new Error('there is none'));
  await settingsIn([{ path: file, text }], file, {});
  const { readYaml } = await import('./read-yaml.ts');
  const yaml = readYaml(text, file);
  return Array.isArray(yaml) || !isGroup(yaml.value) ? {} : yaml.value;
}

interface SettingsText {
  path: string;
  text: string;
}

/** @returns undefined where a file needs the parser of YAML, or anything is to be told with its line */
function plainSettings(texts: readonly SettingsText[], below: PlainGroup): AgentSettings | undefined {
  const values = texts.map(({ text }) => readPlainYaml(text));
  if (values.includes(undefined)) return undefined;
  const parsed = v.safeParse(agentSettings, values.reduce<unknown>(mergeSettings, below));
  return parsed.success ? parsed.output : undefined;
}

async function settingsIn(texts: readonly SettingsText[], file: string, below: PlainGroup): Promise<AgentSettings> {
  const { readYaml } = await import('./read-yaml.ts');
  const sources: Source[] = [];
  const broken: SettingsProblem[] = [];
  for (const { path, text } of texts) {
    const yaml = readYaml(text, path);
    if (Array.isArray(yaml)) broken.push(...yaml);
    else sources.push({ file: path, yaml });
  }
  if (broken.length > 0) throw new SettingsError(file, broken);
  const found = sources.flatMap(notAGroup);
  if (found.length > 0) throw new SettingsError(file, found);
  const parsed = v.safeParse(
    agentSettings,
    sources.map(({ yaml }) => yaml.value).reduce<unknown>(mergeSettings, below),
  );
  if (parsed.success) return parsed.output;
  throw new SettingsError(
    file,
    parsed.issues.map((issue) => problemOf(issue, sources, file)),
  );
}

async function filesOf(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names
      .filter((name) => /^[^.].*\.yml$/.test(name))
      .sort()
      .map((name) => join(folder, name));
  } catch (cause) {
    if (isMissing(cause)) return [];
    throw unreadable(folder, cause);
  }
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw unreadable(file, cause);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function unreadable(file: string, cause: unknown): SettingsError {
  return new SettingsError(file, [{ file, key: '', expected: 'a file that can be read', found: messageOf(cause) }], {
    cause,
  });
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function notAGroup({ file, yaml }: Source): SettingsProblem[] {
  if (yaml.value === null || yaml.value === undefined || isGroup(yaml.value)) return [];
  return [{ file, line: 1, key: '', expected: 'a group of keys', found: describeAgentValue(yaml.value) }];
}

/** A key with nothing behind it (all of its group is commented out) is as good as absent. */
export function mergeSettings(below: unknown, above: unknown): unknown {
  if (above === null || above === undefined) return below;
  if (!isGroup(above)) return above;
  const result = new Map(isGroup(below) ? Object.entries(below) : []);
  for (const [key, value] of Object.entries(above)) {
    const both = mergeSettings(result.get(key), value);
    if (both !== undefined) result.set(key, both);
  }
  return Object.fromEntries(result);
}

function problemOf(issue: v.BaseIssue<unknown>, sources: readonly Source[], file: string): SettingsProblem {
  const { path, expected, found } = describeAgentIssue(issue, agentSettings);
  const source = sourceOf(path, sources);
  const line = source?.yaml.lineOf(path);
  return { file: source?.file ?? file, ...(line === undefined ? {} : { line }), key: path.join('.'), expected, found };
}

/** The last file that says anything about the path: its word counted. */
function sourceOf(path: KeyPath, sources: readonly Source[]): Source | undefined {
  for (const source of [...sources].reverse()) if (source.yaml.document.hasIn(path)) return source;
  return undefined;
}
