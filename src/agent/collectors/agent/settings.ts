import { formatDuration } from '../../../core/duration.ts';
import type { Fact } from '../group.ts';

/** What the server may want otherwise (`penguindome client-settings`), and no more of the settings: no addresses, no files, no keys. */
export const settings: Fact = {
  name: 'settings',
  look: async (_host, { settings: { disabled, enabled }, intervals: { collect_interval, submit_interval } }) => ({
    collect_interval: formatDuration(collect_interval),
    submit_interval: formatDuration(submit_interval),
    collectors: { disabled: inOrder(disabled), enabled: inOrder(enabled) },
  }),
};

function inOrder(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}
