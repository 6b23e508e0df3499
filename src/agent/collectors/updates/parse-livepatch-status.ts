import { valueAt } from '../../../core/value.ts';
import { parseJson } from '../parse-json.ts';

/** Of the running kernel: whether asking for patches works, and what became of the newest. */
export interface LivepatchStatus {
  check: string;
  state: string;
}

/** Reads `canonical-livepatch status --format json`: `{Status: [{Running, Livepatch: {CheckState, State, …}, …}]}`; counters and times are left. */
export function parseLivepatchStatus(text: string): LivepatchStatus | undefined {
  const status = valueAt(parseJson(text), 'Status');
  const running = Array.isArray(status) ? status.find((each) => valueAt(each, 'Running') === true) : undefined;
  const [check, state] = ['CheckState', 'State'].map((name) => valueAt(running, `Livepatch.${name}`));
  return typeof check === 'string' && typeof state === 'string' ? { check, state } : undefined;
}
