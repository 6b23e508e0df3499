import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { messageOf } from '../core/errors.ts';
import type { Random } from '../core/world.ts';
import { type ClientSettings, clientSettings } from './client-settings.ts';
import { describeAgentIssue } from './describe-agent-issue.ts';
import { type Editing, editYaml, readOr } from './edit-yaml.ts';
import { withoutNulls } from './parse-settings-file.ts';
import { readYaml } from './read-yaml.ts';
import { SettingsError } from './settings-error.ts';

/**
 * Beside the server's own settings, and whoever may write those writes it: not in the store, so that whoever writes to the database
 * gains nothing on hosts.
 */
export function clientSettingsFile(serverSettings: string): string {
  return join(dirname(serverSettings), 'client-settings.yml');
}

const INITIAL = `# What this server wants of the settings of its agents: of all of them, and of single hosts, which goes before.
# Change it here or with \`penguindome client-settings set\`. docs/client-settings.md says what can be wanted.
all:
hosts:
`;

/** Nothing is wanted where there is no such file. @throws SettingsError with every problem */
export async function loadClientSettings(file: string): Promise<ClientSettings> {
  const text = await readOr(file, '').catch((cause: unknown) => {
    const problem = { file, key: '', expected: 'a file that can be read', found: messageOf(cause) };
    throw new SettingsError(file, [problem], { cause });
  });
  return parseClientSettings(text, file);
}

/** Changes the file in place, and makes it where it is missing. @returns whether it changed */
export function editClientSettings(
  world: { random: Random; signal: AbortSignal },
  file: string,
  edits: Editing<ClientSettings>['edits'],
): Promise<boolean> {
  return editYaml(world, file, {
    parse: (text) => parseClientSettings(text, file),
    edits,
    initial: { text: INITIAL, mode: 0o644 },
  });
}

/** @throws SettingsError */
export function parseClientSettings(text: string, file: string): ClientSettings {
  const yaml = readYaml(text, file);
  if (Array.isArray(yaml)) throw new SettingsError(file, yaml);
  const parsed = v.safeParse(clientSettings, withoutNulls(yaml.value) ?? {});
  if (parsed.success) return parsed.output;
  const problems = parsed.issues.map((issue) => {
    const { path, expected, found } = describeAgentIssue(issue, clientSettings);
    const line = yaml.lineOf(path);
    return { file, ...(line === undefined ? {} : { line }), key: path.join('.'), expected, found };
  });
  throw new SettingsError(file, problems);
}
