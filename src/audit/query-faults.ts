/** One thing that is wrong with a query: where in it, and what was expected there. */
export interface QueryFault {
  path: (string | number)[];
  expected: string;
}

type Path = QueryFault['path'];

/** What a query of a check file may say, so that a mistake is a fault of the file and never an answer about a host. */
export function queryFaults(query: unknown, path: Path = []): QueryFault[] {
  if (!isMapping(query)) return [{ path, expected: 'a query: a group of paths and conditions' }];
  return Object.entries(query).flatMap(([key, value]) => {
    const here = [...path, key];
    if (key === '$and' || key === '$or' || key === '$nor') return listOfQueries(value, here);
    if (key.startsWith('$')) return [{ path: here, expected: `a path, $and, $or or $nor here, not ${key}` }];
    return [...fieldFaults(key, here), ...conditionFaults(value, here)];
  });
}

/** The paths of the document that a query looks at, each once. */
export function queryPaths(query: Record<string, unknown>): string[] {
  const paths = Object.entries(query).flatMap(([key, value]) => {
    if (!key.startsWith('$')) return [key];
    return Array.isArray(value) ? value.filter(isMapping).flatMap(queryPaths) : [];
  });
  return [...new Set(paths)];
}

/** Why a text cannot be a path into a document; nothing where it can. */
export function fieldFaults(field: string, path: Path): QueryFault[] {
  const steps = field.split('.');
  if (steps.includes('')) return [{ path, expected: 'a dotted path without empty steps' }];
  if (steps.includes('__proto__')) return [{ path, expected: 'a path without __proto__' }];
  return [];
}

function listOfQueries(value: unknown, path: Path): QueryFault[] {
  if (!Array.isArray(value) || value.length === 0) return [{ path, expected: 'a list of at least one query' }];
  return value.flatMap((member, index) => queryFaults(member, [...path, index]));
}

function conditionFaults(condition: unknown, path: Path): QueryFault[] {
  if (!isMapping(condition)) return [];
  // What a shell or a template has left of `$exists`: it would be compared with as a value, and never match.
  if (Object.hasOwn(condition, '')) return [{ path, expected: 'no empty key in a condition, such as {$exists: true}' }];
  if (!Object.keys(condition).some((key) => key.startsWith('$'))) return [];
  return Object.entries(condition).flatMap(([operator, operand]) => {
    const here = [...path, operator];
    const rule = OPERANDS.get(operator);
    if (rule === undefined) return [{ path: here, expected: `one of ${[...OPERANDS.keys()].join(', ')}` }];
    return rule(operand, here, condition);
  });
}

type OperandRule = (operand: unknown, path: Path, condition: Record<string, unknown>) => QueryFault[];

const TYPE_NAMES = ['array', 'bool', 'date', 'double', 'int', 'long', 'null', 'number', 'object', 'string'];

const anything: OperandRule = () => [];
const scalar = one((operand) => operand === null || typeof operand !== 'object', 'one value');
const list = one(Array.isArray, 'a list');

const OPERANDS = new Map<string, OperandRule>([
  ['$all', list],
  ['$elemMatch', elementFaults],
  ['$eq', anything],
  ['$exists', one((operand) => typeof operand === 'boolean', 'true or false')],
  ['$gt', scalar],
  ['$gte', scalar],
  ['$in', list],
  ['$lt', scalar],
  ['$lte', scalar],
  [
    '$mod',
    one(
      (operand) => Array.isArray(operand) && operand.length === 2 && operand.every(Number.isInteger),
      'a list of a divisor and a remainder',
    ),
  ],
  ['$ne', anything],
  ['$nin', list],
  ['$not', one(isCondition, 'a condition such as {$eq: true}', conditionFaults)],
  [
    '$options',
    one(
      (operand, { $regex }) => typeof operand === 'string' && /^[ims]{0,3}$/.test(operand) && $regex !== undefined,
      'letters of i, m and s beside $regex',
    ),
  ],
  ['$regex', one((operand, { $options }) => isRegex(operand, $options), 'a regular expression')],
  ['$size', one((operand) => Number.isInteger(operand), 'a whole number')],
  [
    '$type',
    one(
      (operand) => [operand].flat().every((name) => typeof name === 'string' && TYPE_NAMES.includes(name)),
      `one of ${TYPE_NAMES.join(', ')}`,
    ),
  ],
]);

function one(
  holds: (operand: unknown, condition: Record<string, unknown>) => boolean,
  expected: string,
  within: OperandRule = anything,
): OperandRule {
  return (operand, path, condition) =>
    holds(operand, condition) ? within(operand, path, condition) : [{ path, expected }];
}

function elementFaults(operand: unknown, path: Path): QueryFault[] {
  return isCondition(operand) ? conditionFaults(operand, path) : queryFaults(operand, path);
}

/** Operators only, as against a query over the members' own fields. */
function isCondition(value: unknown): boolean {
  if (!isMapping(value)) return false;
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => key.startsWith('$') && !['$and', '$or', '$nor'].includes(key));
}

function isRegex(pattern: unknown, options: unknown): boolean {
  if (typeof pattern !== 'string') return false;
  try {
    return new RegExp(pattern, typeof options === 'string' ? options : '') instanceof RegExp;
  } catch {
    return false;
  }
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
