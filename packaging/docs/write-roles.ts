import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';

const FROM = '<!-- from here on made by npm run docs -->';
const TO = '<!-- as far as here -->';

/** One variable of a role, or one key below it: as Ansible's argument specs have it. */
const option = z.object({
  type: z.string(),
  elements: z.string().optional(),
  required: z.boolean().default(false),
  default: z.unknown().optional(),
  choices: z.array(z.string()).default([]),
  description: z.string(),
  get options() {
    return z.record(z.string(), option).default({});
  },
});
type RoleOption = z.output<typeof option>;

const roleSpecs = z.object({
  argument_specs: z.object({ main: z.object({ options: z.record(z.string(), option) }) }),
});

/** @param root the checkout's folder */
export async function roleFolders(root: string): Promise<string[]> {
  const folder = join(root, 'ansible/roles');
  return (await readdir(folder)).sort().map((name) => join(folder, name));
}

/** @returns the README of a role, with the table of its variables as meta/argument_specs.yml has them now */
export async function roleReadme(role: string): Promise<string> {
  const page = await readFile(join(role, 'README.md'), 'utf8');
  const [from, to] = [page.indexOf(FROM), page.indexOf(TO)];
  if (from < 0 || to < from) {
    throw new Error(`cannot write the docs: ${role}/README.md has not the marks ${FROM} and ${TO}`);
  }
  const specs = await readFile(join(role, 'meta/argument_specs.yml'), 'utf8');
  return `${page.slice(0, from + FROM.length)}\n\n${variablesTable(specs)}\n\n${page.slice(to)}`;
}

/** @param specs text of meta/argument_specs.yml @returns Markdown */
export function variablesTable(specs: string): string {
  const { options } = roleSpecs.parse(parse(specs)).argument_specs.main;
  const rows = Object.entries(options).flatMap(([name, each]) => rowsOf(name, each));
  return ['| variable | type | default | what it is |', '|---|---|---|---|', ...rows].join('\n');
}

function rowsOf(
  path: string,
  { type, elements, required, description, choices, options, ...rest }: RoleOption,
): string[] {
  const kind = elements === undefined ? type : `${type} of ${elements}`;
  const preset = required ? '**required**' : rest.default === undefined ? '' : `\`${inYaml(rest.default)}\``;
  const choice = choices.length === 0 ? '' : ` One of ${choices.map((each) => `\`${each}\``).join(', ')}.`;
  const words = `${description}${choice}`.replaceAll('|', '\\|').trim();
  const below = elements === undefined ? '.' : '[].';
  return [
    `| \`${path}\` | ${kind} | ${preset} | ${words} |`,
    ...Object.entries(options).flatMap(([key, each]) => rowsOf(`${path}${below}${key}`, each)),
  ];
}

/** On one line, as it would be written into a variable. */
function inYaml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inYaml).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  return `{${Object.entries(value)
    .map(([key, each]) => `${key}: ${inYaml(each)}`)
    .join(', ')}}`;
}
