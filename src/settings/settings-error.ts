import { OperatorError } from '../core/errors.ts';

/** What is wrong at one place of a settings file. */
export interface SettingsProblem {
  file: string;
  /** from 1; absent where the whole file is meant */
  line?: number;
  /** dotted path, `ports.0.port`; empty for the whole file */
  key: string;
  expected: string;
  /** never the value of a secret */
  found: string;
}

/** Settings that cannot be used, with every problem that was found: one line each. */
export class SettingsError extends OperatorError {
  override readonly name = 'SettingsError';
  readonly problems: readonly SettingsProblem[];

  constructor(
    file: string,
    problems: readonly SettingsProblem[],
    { heading = `cannot use the settings in ${file}`, ...options }: { heading?: string; cause?: unknown } = {},
  ) {
    const lines = problems.map((problem) => `  ${describe(problem)}`);
    super([`${heading}:`, ...lines].join('\n'), { exitCode: 3, ...options });
    this.problems = problems;
  }
}

function describe({ file, line, key, expected, found }: SettingsProblem): string {
  const place = line === undefined ? file : `${file}:${line}`;
  return `${place}: ${key === '' ? '' : `${key}: `}expected ${expected}, found ${found}`;
}
