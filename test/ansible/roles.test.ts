import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import test from 'ava';
import { parse } from 'yaml';
import * as z from 'zod';
import { roleFolders, roleReadme, variablesTable } from '../../packaging/docs/write-roles.ts';
import { whenPresent } from '../support/needs.ts';

const has = (command: string): boolean => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
const withAnsibleLint = whenPresent(has('ansible-lint'), 'the lint of the roles needs ansible-lint');
const withYamllint = whenPresent(has('yamllint'), 'the lint of the YAML of ansible/ needs yamllint');

test("each role's README has the table that npm run docs makes of its argument specs", async (t) => {
  const roles = await roleFolders('.');
  t.true(roles.length > 3);
  for (const role of roles)
    t.is(await roleReadme(role), await readFile(join(role, 'README.md'), 'utf8'), 'run npm run docs');
});

test('a table tells type, default, choices and what is below', (t) => {
  const specs = `
argument_specs:
  main:
    options:
      a_store:
        description: Where | how.
        type: list
        elements: dict
        default: [{kind: mongo}]
        options:
          kind: {description: Which., type: str, required: true, choices: [embedded, mongo]}
`;
  t.is(
    variablesTable(specs),
    [
      '| variable | type | default | what it is |',
      '|---|---|---|---|',
      '| `a_store` | list of dict | `[{kind: mongo}]` | Where \\| how. |',
      '| `a_store[].kind` | str | **required** | Which. One of `embedded`, `mongo`. |',
    ].join('\n'),
  );
});

const presets = z.record(z.string(), z.unknown());
const described = z.object({
  argument_specs: z.object({
    main: z.object({ options: z.record(z.string(), z.object({ default: z.unknown().optional() })) }),
  }),
});

test('each default has an argument spec, and what specs call a default is the default', async (t) => {
  for (const role of await roleFolders('.')) {
    const read = async (file: string) => parse(await readFile(join(role, file), 'utf8'));
    const defaults = presets.parse((await read('defaults/main.yml')) ?? {});
    const { options } = described.parse(await read('meta/argument_specs.yml')).argument_specs.main;
    for (const name of Object.keys(defaults))
      t.true(name in options, `${basename(role)}: ${name} is not in meta/argument_specs.yml`);
    for (const [name, { default: told }] of Object.entries(options)) {
      if (told !== undefined) t.deepEqual(defaults[name], told, `${basename(role)}: ${name}`);
    }
  }
});

test('the example inventory sets variables that the roles have, and no secret', async (t) => {
  const known = new Set(['penguindome_repository', 'penguindome_certificates']);
  for (const role of await roleFolders('.')) {
    const specs = described.parse(parse(await readFile(join(role, 'meta/argument_specs.yml'), 'utf8')));
    for (const name of Object.keys(specs.argument_specs.main.options)) known.add(name);
  }
  const folder = 'ansible/inventory/example/group_vars';
  for (const file of await readdir(folder)) {
    const vars = presets.parse(parse(await readFile(join(folder, file), 'utf8')) ?? {});
    for (const [name, value] of Object.entries(vars)) {
      t.true(known.has(name), `${file}: no role knows ${name}`);
      if (/password/.test(name)) t.regex(String(value), /^\{\{ (vault_|lookup)/, `${file}: ${name}`);
    }
  }
});

test('each collection whose modules tasks use is a dependency of this one', async (t) => {
  const files = (await readdir('ansible', { recursive: true })).filter((file) =>
    /(^playbooks|\/tasks|\/handlers)\/[^/]+\.yml$/.test(file),
  );
  const texts = await Promise.all(files.map((file) => readFile(join('ansible', file), 'utf8')));
  const used = texts.flatMap((text) =>
    [...text.matchAll(/^\s+(?:- )?([a-z_]+\.[a-z_]+)\.[a-z_]+:$/gm)].map(([, name]) => name),
  );
  const { dependencies } = z
    .object({ dependencies: presets })
    .parse(parse(await readFile('ansible/galaxy.yml', 'utf8')));
  t.deepEqual(new Set(Object.keys(dependencies)), new Set(used.filter((name) => name !== 'ansible.builtin')));
});

withAnsibleLint('ansible-lint finds nothing, by its profile for production and without a network', (t) => {
  const { status, stdout, stderr } = spawnSync('ansible-lint', ['--offline', '--nocolor', '-q'], {
    cwd: 'ansible',
    encoding: 'utf8',
  });
  t.is(status, 0, stdout + stderr);
});

withYamllint('yamllint finds nothing', (t) => {
  const { status, stdout, stderr } = spawnSync('yamllint', ['--strict', '.'], { cwd: 'ansible', encoding: 'utf8' });
  t.is(status, 0, stdout + stderr);
});
