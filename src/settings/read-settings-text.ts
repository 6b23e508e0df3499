import { readPlainYaml } from './read-plain-yaml.ts';

/** YAML as the agent's own settings are written. An empty file says nothing. */
export async function readSettingsText(text: string, path: string): Promise<{ value: unknown } | { fault: string }> {
  const plain = readPlainYaml(text);
  if (plain !== undefined) return { value: plain };
  const { readYaml } = await import('./read-yaml.ts');
  const yaml = readYaml(text, path);
  if (!Array.isArray(yaml)) return { value: yaml.value ?? {} };
  const [first] = yaml;
  return { fault: `line ${first?.line ?? 1}: expected ${first?.expected}, found ${first?.found}` };
}
