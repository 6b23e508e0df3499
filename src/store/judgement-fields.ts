/**
 * What the checks say of a host, as it is stored beside its report. A hundred checks have little to say of most hosts: answers without evidence
 * are kept as lists of names, those that are alike and as old together, which is a sixth of what one object for each would be
 * to write, read and journal.
 */
import type { CheckResult, Judgement } from '../core/check.ts';
import { type Fields, isFields, setField, type Value } from '../core/value.ts';

export function judgementFields({ version, evaluated_at, results: all, deadline_at }: Judgement): Fields {
  const results: Fields = {};
  const bare: Alike[] = [];
  for (const [name, result] of Object.entries(all)) {
    const { answer, fails, evidence, reason, since } = result;
    if (evidence !== undefined || reason !== undefined || !canBeListed(name)) {
      setField(results, name, resultFields(result));
      continue;
    }
    const at = since.getTime();
    const alike = bare.find((list) => list.answer === answer && list.fails === fails && list.since.getTime() === at);
    if (alike === undefined) bare.push({ answer, fails, since, names: [name] });
    else alike.names.push(name);
  }
  return {
    version,
    evaluated_at,
    results,
    ...(bare.length === 0 ? {} : { bare: bare.map(({ names, ...list }) => ({ ...list, names: names.join(BETWEEN) })) }),
    ...(deadline_at === undefined ? {} : { deadline_at }),
  };
}

function resultFields({ answer, fails, evidence, reason, since }: CheckResult): Fields {
  const fields: Fields = { answer, fails };
  if (evidence !== undefined) fields['evidence'] = evidence;
  if (reason !== undefined) fields['reason'] = reason;
  fields['since'] = since;
  return fields;
}

/** Answers that differ in nothing but their checks. */
interface Alike extends Pick<CheckResult, 'answer' | 'fails' | 'since'> {
  names: string[];
}

const BETWEEN = ' ';

/** Names of checks all can (audit/check-file.ts). */
function canBeListed(name: string): boolean {
  return name !== '' && !name.includes(BETWEEN);
}

export function readJudgement(value: Value | undefined): Judgement | undefined {
  if (!isFields(value)) return undefined;
  const { version, evaluated_at, deadline_at } = value;
  if (typeof version !== 'string' || !(evaluated_at instanceof Date)) return undefined;
  return { version, evaluated_at, results: readResults(value), ...(deadline_at instanceof Date && { deadline_at }) };
}

/**
 * @param checks as stored; of a version before, each result may be an object of its own
 * @param wanted names of the results that are asked for; all where undefined
 */
export function readResults({ results, bare }: Fields, wanted?: ReadonlySet<string>): Record<string, CheckResult> {
  const known: Record<string, CheckResult> = {};
  for (const [name, field] of Object.entries(isFields(results) ? results : {})) {
    const result = wanted?.has(name) === false ? undefined : readResult(field);
    if (result !== undefined) known[name] = result;
  }
  for (const list of Array.isArray(bare) ? bare : []) {
    const result = readResult(list);
    if (result === undefined || !isFields(list)) continue;
    const names = typeof list['names'] === 'string' ? list['names'].split(BETWEEN) : [];
    for (const name of names) if (wanted?.has(name) !== false) known[name] = result;
  }
  return known;
}

function readResult(value: Value): CheckResult | undefined {
  if (!isFields(value)) return undefined;
  const { answer, fails, evidence, reason, since } = value;
  if (answer !== 'pass' && answer !== 'fail' && answer !== 'unknown') return undefined;
  if (typeof fails !== 'boolean' || !(since instanceof Date)) return undefined;
  const result: CheckResult = { answer, fails, since };
  if (isFields(evidence)) result.evidence = evidence;
  if (typeof reason === 'string') result.reason = reason;
  return result;
}
