/**
 * One row: value in unit; `reference`, measured in the same run, and the ratio to it; `target`, and whether it is met.
 * @param {{value: number, unit: string, reference?: {name: string, value: number}, target?: {at_least?: number, at_most?: number, of?: 'ratio'}}} row
 */
export function row({ value, unit, reference, target }) {
  const ratio = reference === undefined ? null : value / reference.value;
  const measured = target?.of === 'ratio' ? ratio : value;
  const met =
    target === undefined
      ? null
      : measured >= (target.at_least ?? -Infinity) && measured <= (target.at_most ?? Infinity);
  return { value, unit, reference: reference ?? null, ratio, target: target ?? null, met };
}

export function printTable(rows) {
  const lines = Object.entries(rows).map(([name, { value, unit, reference, ratio, target, met }]) => [
    name,
    `${digits(value)} ${unit}`,
    reference === null ? '' : `${digits(ratio)} × ${reference.name} (${digits(reference.value)})`,
    target === null
      ? ''
      : `${target.at_least === undefined ? `≤ ${target.at_most}` : `≥ ${target.at_least}`}${target.of === 'ratio' ? ' ×' : ''}`,
    met === null ? '' : met ? 'met' : 'NOT MET',
  ]);
  const all = [['what', 'measured', 'beside', 'target', ''], ...lines];
  const widths = all[0].map((_, column) => Math.max(...all.map((line) => line[column].length)));
  for (const line of all)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
}

const digits = (value) => (value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(2) : value.toPrecision(2));

export const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
