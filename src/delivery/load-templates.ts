import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { BUILT_IN_TEMPLATES, TEMPLATE_NAMES, type TemplateName } from './built-in-templates.ts';
import { compileTemplate, type Template, TemplateFault } from './template.ts';

export type Templates = Record<TemplateName, Template>;

const LARGEST = 64 * 1024;

/** The built-in templates, and in their place those that the folder has. One that cannot be used is named, and the built-in one serves. */
export async function loadTemplates(folder: string | undefined): Promise<{ templates: Templates; problems: string[] }> {
  const problems: string[] = [];
  const load = async (name: TemplateName): Promise<Template> => {
    const builtIn = compileTemplate(BUILT_IN_TEMPLATES[name], TEMPLATE_NAMES);
    if (folder === undefined) return builtIn;
    const file = join(folder, name);
    try {
      const text = await readTemplate(file);
      return text === undefined ? builtIn : compileTemplate(text, TEMPLATE_NAMES);
    } catch (error) {
      const line = error instanceof TemplateFault ? `:${error.line}` : '';
      problems.push(`cannot use the template ${file}${line}: ${messageOf(error)}; the built-in one is used`);
      return builtIn;
    }
  };
  return {
    templates: {
      'mail.subject': await load('mail.subject'),
      'mail.txt': await load('mail.txt'),
      'mail.html': await load('mail.html'),
      'user-mail.subject': await load('user-mail.subject'),
      'user-mail.txt': await load('user-mail.txt'),
      'user-mail.html': await load('user-mail.html'),
      'slack.txt': await load('slack.txt'),
    },
    problems,
  };
}

/** @returns undefined where there is none */
async function readTemplate(file: string): Promise<string | undefined> {
  // O_NONBLOCK: a pipe in the file's place must not hold us up
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  try {
    const stats = await handle.stat();
    if (!stats.isFile() || stats.size > LARGEST) throw new Error('it is no regular file of at most 64 KiB');
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}
