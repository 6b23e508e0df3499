import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { readYaml, type YamlFile } from '../settings/read-yaml.ts';
import type { CheckProblem } from './check-problem.ts';

/** A file that holds YAML; whether it is a check shows when it is resolved (resolve-check.ts). */
export interface CheckFile {
  file: string;
  /** of the check that it is about, as far as can be told: `name`, `overrides`, or the file's own */
  name: string;
  /** top level of the file; empty where that is no group of keys, which `yaml.value` still shows */
  keys: Record<string, unknown>;
  yaml: YamlFile;
}

const LARGEST_FILE = 256 * 1024;

export async function readCheckFile(file: string): Promise<CheckFile | CheckProblem[]> {
  const name = basename(file).replace(/\.ya?ml$/, '');
  try {
    if ((await stat(file)).size > LARGEST_FILE) return [{ file, name, reason: 'cannot be larger than 256 KiB' }];
    return parse(file, name, await readFile(file, 'utf8'));
  } catch (error) {
    return [{ file, name, reason: `cannot be read: ${messageOf(error)}` }];
  }
}

function parse(file: string, fileName: string, text: string): CheckFile | CheckProblem[] {
  const yaml = readYaml(text, file);
  if (Array.isArray(yaml)) {
    return yaml.map(({ line, expected, found, key }) => ({
      file,
      name: fileName,
      ...(line === undefined ? {} : { line }),
      reason: `${key === '' ? '' : `${key}: `}expected ${expected}, found ${found}`,
    }));
  }
  const keys = keysOf(yaml.value);
  const named = [keys['overrides'], keys['name']].find((each) => typeof each === 'string');
  return { file, name: typeof named === 'string' ? named : fileName, keys, yaml };
}

function keysOf(value: unknown): Record<string, unknown> {
  const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isGroup ? Object.fromEntries(Object.entries(value)) : {};
}
