import { type Document, isMap, isNode, isPair, isScalar, isSeq, LineCounter, type Pair, parseDocument } from 'yaml';
import type { SettingsProblem } from './settings-error.ts';

export type KeyPath = readonly (string | number)[];

export interface YamlFile {
  document: Document.Parsed;
  /** plain JavaScript; null for an empty file */
  value: unknown;
  /** line of the key, or of its nearest parent that is there; undefined in an empty file */
  lineOf(path: KeyPath): number | undefined;
}

/** Reads one YAML document, remembering lines. Problems: bad YAML, duplicate keys, unknown tags, several documents. */
export function readYaml(text: string, file: string): YamlFile | SettingsProblem[] {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    return faults.map(({ code, message, pos }) => {
      const at = { file, line: lineCounter.linePos(pos[0]).line };
      if (code === 'DUPLICATE_KEY') {
        const key = /^[^\s:]+/.exec(text.slice(pos[0]))?.[0] ?? '';
        return { ...at, key, expected: 'each key once', found: 'it a second time' };
      }
      return { ...at, key: '', expected: 'YAML', found: `what is none: ${lowerFirst(message)}` };
    });
  }
  return { document, value: document.toJS(), lineOf: (path) => lineOf(document, lineCounter, path) };
}

function lineOf(document: Document.Parsed, lines: LineCounter, path: KeyPath): number | undefined {
  let at: unknown = document.contents;
  let offset = isNode(at) ? at.range?.[0] : undefined;
  for (const step of path) {
    const entry = isMap(at)
      ? at.items.find((pair) => keyOf(pair) === String(step))
      : isSeq(at)
        ? at.items[Number(step)]
        : undefined;
    if (entry === undefined) break;
    const shown = isPair(entry) ? entry.key : entry;
    if (isNode(shown)) offset = shown.range?.[0];
    at = isPair(entry) ? entry.value : entry;
  }
  return offset === undefined ? undefined : lines.linePos(offset).line;
}

function keyOf({ key }: Pair): string {
  return isScalar(key) ? String(key.value) : String(key);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
