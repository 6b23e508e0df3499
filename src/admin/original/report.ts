import type { Output } from '../context.ts';
import type { TakeOver } from './take-over.ts';

/** The same list of what is to be done and of what was done, and what has no counterpart here. */
export function reportTakeOver(output: Output, takeOver: TakeOver, dryRun: boolean): void {
  const { steps, leftovers, client, remarks, restart } = takeOver;
  const changed = steps.some(({ needed }) => needed);
  for (const remark of remarks) output.note(remark);
  if (output.wantsJson) {
    output.json({
      changed: changed && !dryRun,
      dry_run: dryRun,
      steps: steps.map(({ what, path, needed }) => ({
        what,
        path,
        outcome: needed ? (dryRun ? 'to-do' : 'made') : 'there',
      })),
      no_counterpart: leftovers,
      client_settings: Object.fromEntries(client.map(({ path, value }) => [path, value])),
      remarks,
    });
  } else {
    output.table(
      ['WHAT', 'WHERE', ''],
      steps.map(({ what, path, needed }) => [what, path, needed ? (dryRun ? 'to do' : 'taken over') : 'was there']),
    );
    showLeftovers(output, takeOver);
    if (!changed) output.line('Everything was there: nothing was changed.');
    else if (dryRun) output.line('Nothing was changed: this was a dry run.');
  }
  if (changed && !dryRun) {
    output.note(`Tell the server: systemctl ${restart ? 'restart' : 'reload'} penguindome-server`);
  }
}

function showLeftovers(output: Output, { leftovers, client }: TakeOver): void {
  if (client.length > 0) {
    output.line();
    output.line("What the original wants of its clients, as an agent's settings have it:");
    for (const { path, value } of client) output.line(`  ${path}: ${value}`);
  }
  if (leftovers.length > 0) {
    output.line();
    output.line('Without a counterpart here:');
    for (const { file, key, why } of leftovers) output.line(`  ${file}: ${key}: ${why}`);
  }
  output.line();
}
