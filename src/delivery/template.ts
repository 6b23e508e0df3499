/**
 * Templates: text with placeholders, and nothing that could run. What they are filled with is always escaped.
 *
 * - `{{name}}`: the value;
 * - `{{#name}} … {{/name}}`: for a list, once for each member (whose names go before those outside); for a value, once where it is not empty;
 * - `{{^name}} … {{/name}}`: where the list or value is empty or missing.
 *
 * A line that holds nothing but the begin or end of such a part leaves no line behind.
 */
import type { Escape } from './escape.ts';

export interface TemplateData {
  [name: string]: string | undefined | readonly TemplateData[];
}

export type Template = (data: TemplateData, escaped: Escape) => string;

type Part = string | { name: string; kind: '' | '#' | '^'; parts: Part[] };

const TAG =
  /^[ \t]*\{\{([#^/])[ \t]*(\w+)[ \t]*\}\}[ \t]*(?:\r?\n|$(?![\s\S]))|(?<!\{)\{\{([#^/]?)[ \t]*(\w+)[ \t]*\}\}/gm;

/** @throws TemplateFault naming the line */
export function compileTemplate(text: string, known: ReadonlySet<string>): Template {
  const parts = parse(text, known);
  return (data, escaped) => render(parts, [data], escaped);
}

export class TemplateFault extends Error {
  override readonly name = 'TemplateFault';
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

function parse(text: string, known: ReadonlySet<string>): Part[] {
  const root: Part[] = [];
  const open: { name: string; line: number; parts: Part[] }[] = [];
  const into = () => open.at(-1)?.parts ?? root;
  let from = 0;
  for (const match of text.matchAll(TAG)) {
    const line = lineOf(text, match.index + match[0].indexOf('{'));
    addText(into(), text.slice(from, match.index), lineOf(text, from));
    from = match.index + match[0].length;
    const kind = match[1] ?? match[3] ?? '';
    const name = match[2] ?? match[4] ?? '';
    if (kind === '/') {
      const ended = open.pop();
      if (ended?.name !== name) throw new TemplateFault(line, `expected no {{/${name}}} here`);
      continue;
    }
    if (!known.has(name)) {
      throw new TemplateFault(line, `cannot fill {{${name}}}: known are ${[...known].sort().join(', ')}`);
    }
    const part: Exclude<Part, string> = { name, kind: kind === '#' || kind === '^' ? kind : '', parts: [] };
    into().push(part);
    if (part.kind !== '') open.push({ name, line, parts: part.parts });
  }
  addText(into(), text.slice(from), lineOf(text, from));
  const [unended] = open;
  if (unended !== undefined) throw new TemplateFault(unended.line, `expected a {{/${unended.name}}} for it`);
  return root;
}

function addText(into: Part[], text: string, line: number): void {
  const stray = text.indexOf('{{');
  if (stray !== -1) {
    throw new TemplateFault(line + lineOf(text, stray) - 1, 'cannot read what stands after {{');
  }
  if (text !== '') into.push(text);
}

function lineOf(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}

function render(parts: readonly Part[], scopes: readonly TemplateData[], escaped: Escape): string {
  return parts.map((part) => (typeof part === 'string' ? part : fill(part, scopes, escaped))).join('');
}

function fill({ name, kind, parts }: Exclude<Part, string>, scopes: readonly TemplateData[], escaped: Escape): string {
  const scope = scopes.findLast((each) => Object.hasOwn(each, name));
  const value = scope?.[name] ?? '';
  switch (kind) {
    case '':
      return typeof value === 'string' ? escaped(value) : '';
    case '^':
      return value.length === 0 ? render(parts, scopes, escaped) : '';
    case '#':
      if (typeof value === 'string') return value === '' ? '' : render(parts, scopes, escaped);
      return value.map((member) => render(parts, [...scopes, member], escaped)).join('');
    default:
      return kind satisfies never;
  }
}
