/** Whether the machine installs security updates by itself. */
export interface Automatic {
  by: string;
  /** by design Arch updates when somebody does it: there is nothing that could be enabled */
  enabled: boolean | 'not-applicable';
  /** what keeps it from being so, sorted; or what there is to know */
  problems: string[];
}

/** @param problems why it does not; none: it does */
export function automatic(by: string, problems: readonly string[]): Automatic {
  return { by, enabled: problems.length === 0, problems: [...problems].sort() };
}
