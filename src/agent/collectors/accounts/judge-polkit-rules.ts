import { leadsToRoot } from './root-actions.ts';

/** Nobody writes longer ones by hand, and what is read here takes time. */
const LARGEST = 32 * 1024;
const LONGEST_CONDITION = 2000;

/**
 * What a file of polkit(8) rules allows without a password, of that which leads to root. Rules are programs: their text is read, never run,
 * and only the few forms are understood that nearly all have: `return polkit.Result.YES` below `if`s that compare `action.id` with texts.
 * @returns names of actions, `*` where none are compared; undefined where it cannot be told
 */
export function judgePolkitRules(source: string): string[] | undefined {
  if (source.length > LARGEST) return undefined;
  const { code, texts } = withoutTexts(source);
  const actions = new Set<string>();
  // `return polkit.Result.YES`, or `return "yes"`.
  for (const found of code.matchAll(/\.\s*YES\b|\bResult\s*\[|"(\d+)"/g)) {
    const [word, index] = found;
    if (index !== undefined && texts[Number(index)] !== 'yes') continue;
    const before = code.slice(0, found.index);
    const returned = index === undefined ? /\breturn\s*\(?\s*polkit\s*\.\s*Result\s*$/ : /\breturn\s*\(?\s*$/;
    // A variable, a choice by `?` or a computed name: more than a text tells.
    if (!returned.test(before) || !/^\s*\)?\s*[;}\n]/.test(code.slice(found.index + word.length))) return undefined;
    const rule = before.slice(before.lastIndexOf('addRule'));
    if (!/^addRule\s*\(\s*(?:function\s*\w*\s*)?\(\s*action\b/.test(rule)) return undefined;
    const conditions = conditionsAt(before.replace(returned, ''));
    if (conditions === undefined) return undefined;
    const allowed = actionsOf(conditions, texts);
    if (allowed === undefined) return undefined;
    // What was compared and returned before it may have left only some actions.
    if (allowed.includes('*') && /\baction\s*[.[]/.test(rule)) return undefined;
    for (const action of allowed) actions.add(action);
  }
  return [...actions].sort();
}

/** Comments are gone, and every text is `"N"`, its place in `texts`. Regular expressions stay: nothing with them is understood. */
function withoutTexts(source: string): { code: string; texts: string[] } {
  const texts: string[] = [];
  const code = source.replaceAll(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'/g,
    (_all, double: string | undefined, single: string | undefined) => {
      const text = double ?? single;
      return text === undefined ? ' ' : `"${texts.push(text) - 1}"`;
    },
  );
  return { code, texts };
}

/** Of all `if`s around the end of the code; undefined where something else than `if` and functions is around it. */
function conditionsAt(before: string): string[] | undefined {
  const around: string[] = [];
  let head = '';
  let depth = 0;
  for (const char of before) {
    if (char === '(') depth += 1;
    if (char === ')') depth -= 1;
    if (char === '{') {
      around.push(head);
      head = '';
    } else if (char === '}') {
      around.pop();
      head = '';
    } else if (char === ';') head = '';
    else head += char;
  }
  const heads = [...around, head].map((each) => each.trim()).filter((each) => each !== '');
  const conditions: string[] = [];
  for (const each of heads) {
    if (/\bfunction\b[^{]*$|=>$/.test(each)) continue;
    const [, condition] = /(?:^|[\s)])if\s*\(([\s\S]*)\)$/.exec(each) ?? [];
    if (condition === undefined || !isBalanced(condition) || /\bif\b/.test(condition) || /\belse\b/.test(each))
      return undefined;
    conditions.push(condition);
  }
  return depth < 0 ? undefined : conditions;
}

function isBalanced(condition: string): boolean {
  return condition.split('(').length === condition.split(')').length;
}

/** All of these hold. @returns what is allowed */
function actionsOf(conditions: readonly string[], texts: readonly string[]): string[] | undefined {
  const all = conditions.map((condition) => `(${condition})`).join('&&');
  if (all.length > LONGEST_CONDITION) return undefined;
  const compared: { text: string; prefix: boolean }[] = [];
  const add = (index: string, prefix: boolean) => {
    compared.push({ text: texts[Number(index)] ?? '', prefix });
    return ' A ';
  };
  const known = all
    .replaceAll(/action\s*\.\s*id\s*===?\s*"(\d+)"|"(\d+)"\s*===?\s*action\s*\.\s*id/g, (_all, a: string, b: string) =>
      add(a ?? b, false),
    )
    .replaceAll(/action\s*\.\s*id\s*\.\s*indexOf\s*\(\s*"(\d+)"\s*\)\s*===?\s*0/g, (_all, a: string) => add(a, true))
    .replaceAll(/action\s*\.\s*id\s*\.\s*startsWith\s*\(\s*"(\d+)"\s*\)/g, (_all, a: string) => add(a, true))
    .replaceAll(
      /\[((?:\s*"\d+"\s*,?)+)\]\s*\.\s*(?:includes\s*\(\s*action\s*\.\s*id\s*\)|indexOf\s*\(\s*action\s*\.\s*id\s*\)\s*(?:>=\s*0|>\s*-1|!==?\s*-1))/g,
      (_all, list: string) => {
        for (const [, index] of list.matchAll(/"(\d+)"/g)) add(index ?? '', false);
        return ' A ';
      },
    )
    // What a service or user is called does not widen it.
    .replaceAll(/action\s*\.\s*lookup\s*\(\s*"\d+"\s*\)/g, ' B ');
  if (/\baction\b/.test(known)) return undefined;
  const bound = isBound(known);
  if (bound === undefined) return undefined;
  if (!bound) return isRootOnly(all, texts) ? [] : ['*'];
  return compared
    .filter(({ text, prefix }) => leadsToRoot(text, prefix))
    .map(({ text, prefix }) => (prefix ? `${text}*` : text));
}

/** Does the condition hold for the compared actions (`A`) alone? @returns undefined where that depends on what the rest means */
function isBound(condition: string): boolean | undefined {
  let text = condition;
  for (;;) {
    const inner = /\(([^()]*)\)/.exec(text);
    if (inner === null) break;
    const called = /[\w\].]\s*$/.test(text.slice(0, inner.index)) && !/[|&!(]\s*$/.test(text.slice(0, inner.index));
    const meaning = called ? ' B ' : junction(inner[1] ?? '');
    if (meaning === undefined) return undefined;
    text = text.slice(0, inner.index) + meaning + text.slice(inner.index + inner[0].length);
  }
  const meaning = junction(text);
  return meaning === undefined ? undefined : meaning.includes('A');
}

function junction(text: string): ' A ' | ' B ' | undefined {
  if (!/\bA\b/.test(text)) return ' B ';
  if (/!\s*A\b|\?/.test(text)) return undefined;
  const sides = text.split('||').map((side) => side.split('&&').some((part) => part.trim() === 'A'));
  if (sides.every((bound) => bound)) return ' A ';
  // `action.id == "x" || subject.user == "bob"`: bob may do everything.
  return ' B ';
}

/** `subject.user == "root"` and nothing else. */
function isRootOnly(condition: string, texts: readonly string[]): boolean {
  const [, index] = /^\(*\s*subject\s*\.\s*user\s*===?\s*"(\d+)"\s*\)*$/.exec(condition) ?? [];
  return index !== undefined && texts[Number(index)] === 'root';
}
