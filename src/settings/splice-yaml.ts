import {
  type Document,
  isCollection,
  isMap,
  isNode,
  isPair,
  isSeq,
  type Pair,
  type Range,
  stringify,
  type YAMLMap,
} from 'yaml';
import type { KeyPath } from './read-yaml.ts';

/**
 * Changes one value in YAML text and touches no other byte: comments, order and the writer's own layout stay.
 * (yaml's own way of writing a document back loses the comments of a group that has nothing else in it.)
 * @param wanted undefined takes the key out
 * @returns undefined where the place is written in a way that this does not know: the caller checks what comes out
 */
export function spliceYaml(
  text: string,
  document: Document.Parsed,
  path: KeyPath,
  wanted: unknown,
): string | undefined {
  let at: unknown = document.contents;
  for (const [depth, step] of path.entries()) {
    const rest = path.slice(depth);
    if (isCollection(at) && at.flow === true) {
      return replace(text, at, inline(setInValue(at.toJS(document), rest, wanted)));
    }
    const entry = isMap(at) ? pairOf(at, step) : isSeq(at) ? at.items[Number(step)] : undefined;
    if (entry === undefined) return wanted === undefined ? text : insert(text, at, rest, wanted);
    const value = isPair(entry) ? entry.value : entry;
    if (depth === path.length - 1)
      return wanted === undefined ? cut(text, entry) : overwrite(text, entry, value, wanted);
    if (isPair(entry) && isEmpty(value)) {
      return wanted === undefined ? text : insertBelow(text, entry, nested(rest.slice(1), wanted));
    }
    at = value;
  }
  return undefined;
}

/** The same change on plain data: what the spliced text must read as. A group that loses its last key becomes null. */
export function setInValue(value: unknown, [step, ...rest]: KeyPath, wanted: unknown): unknown {
  if (step === undefined) return wanted;
  if (Array.isArray(value)) {
    const index = Number(step);
    if (rest.length === 0 && wanted === undefined) return value.filter((_, at) => at !== index);
    const changed = [...value];
    changed[index] = setInValue(value[index], rest, wanted);
    return changed;
  }
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const fields = Object.fromEntries(entries);
  const changed = setInValue(fields[String(step)], rest, wanted);
  if (changed !== undefined) return { ...fields, [step]: changed };
  const left = entries.filter(([key]) => key !== String(step));
  return left.length === 0 ? null : Object.fromEntries(left);
}

function overwrite(text: string, entry: unknown, value: unknown, wanted: unknown): string | undefined {
  if (isEmpty(value)) return fillIn(text, entry, wanted);
  if (isCollection(value) && value.flow !== true) return undefined;
  return isNode(value) ? replace(text, value, inline(wanted)) : undefined;
}

function insert(text: string, parent: unknown, rest: KeyPath, wanted: unknown): string | undefined {
  if (!isMap(parent) && !isSeq(parent)) return undefined;
  const end = lineEndAfter(text, lastOffset(parent));
  const start = parent.range?.[0];
  if (start === undefined || end === undefined) return undefined;
  const block = isSeq(parent) ? listMember(wanted) : stringify(nested(rest, wanted), { lineWidth: 0 });
  return insertLines(text, end, block, columnOf(text, start));
}

function insertBelow(text: string, pair: Pair, group: unknown): string | undefined {
  const range = rangeOf(pair.key);
  const end = lineEndAfter(text, range?.[1]);
  if (range === undefined || end === undefined) return undefined;
  return insertLines(text, end, stringify(group, { lineWidth: 0 }), columnOf(text, range[0]) + 2);
}

function insertLines(text: string, at: number, block: string, indent: number): string {
  const lines = block
    .trimEnd()
    .split('\n')
    .map((line) => ' '.repeat(indent) + line);
  return `${text.slice(0, at)}\n${lines.join('\n')}${text.slice(at) || '\n'}`;
}

/** `key:` without a value: what goes in goes right behind the colon. */
function fillIn(text: string, entry: unknown, wanted: unknown): string | undefined {
  const at = isPair(entry) ? rangeOf(entry.key)?.[1] : undefined;
  if (at === undefined || text[at] !== ':') return undefined;
  return `${text.slice(0, at)}: ${inline(wanted)}${text.slice(at + 1)}`;
}

function cut(text: string, entry: unknown): string | undefined {
  const start = rangeOf(isPair(entry) ? entry.key : entry)?.[0];
  const end = lineEndAfter(text, lastOffset(entry));
  if (start === undefined || end === undefined) return undefined;
  return text.slice(0, text.lastIndexOf('\n', start) + 1) + text.slice(end + 1);
}

function replace(text: string, node: { range?: readonly number[] | null | undefined }, by: string): string | undefined {
  const [start, end] = node.range ?? [];
  return start === undefined || end === undefined || text[end - 1] === '\n'
    ? undefined
    : text.slice(0, start) + by + text.slice(end);
}

/** Behind the last thing that stands in the node. */
function lastOffset(entry: unknown): number | undefined {
  if (isPair(entry)) return isEmpty(entry.value) ? rangeOf(entry.key)?.[1] : lastOffset(entry.value);
  if ((isMap(entry) || isSeq(entry)) && entry.flow !== true && entry.items.length > 0)
    return lastOffset(entry.items.at(-1));
  return rangeOf(entry)?.[1];
}

function lineEndAfter(text: string, offset: number | undefined): number | undefined {
  if (offset === undefined) return undefined;
  const end = text.indexOf('\n', offset > 0 && text[offset - 1] === '\n' ? offset - 1 : offset);
  return end === -1 ? text.length : end;
}

function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1);
}

function nested(path: KeyPath, wanted: unknown): unknown {
  return path.reduceRight<unknown>((value, step) => ({ [step]: value }), wanted);
}

function listMember(wanted: unknown): string {
  return stringify([wanted], { lineWidth: 0 });
}

function inline(value: unknown): string {
  return stringify(value, { lineWidth: 0, collectionStyle: 'flow', flowCollectionPadding: false }).trimEnd();
}

function isEmpty(value: unknown): boolean {
  return value === null || (isNode(value) && 'value' in value && value.value === null);
}

function rangeOf(node: unknown): Range | undefined {
  return isNode(node) ? (node.range ?? undefined) : undefined;
}

function pairOf(map: YAMLMap, step: string | number): Pair | undefined {
  return map.items.find(({ key }) => isNode(key) && 'value' in key && String(key.value) === String(step));
}
