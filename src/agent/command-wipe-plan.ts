import { OperatorError } from '../core/errors.ts';
import { WIPE_METHODS } from '../core/order.ts';
import { EXIT } from './exit-codes.ts';
import { hostAccess } from './host-access.ts';
import type { Session } from './session.ts';
import { ownFolders, planWipe } from './wipe/plan-wipe.ts';
import { systemTools } from './wipe/tools.ts';

/** What a wipe would do here. Changes nothing. */
export async function commandWipePlan({ context, places, output }: Session, name: string): Promise<number> {
  const method = WIPE_METHODS.find((known) => known === name);
  if (method === undefined)
    throw new OperatorError(`cannot plan a wipe by ${name}: no such method`, { exitCode: EXIT.usage });
  if (context.uid !== 0) {
    throw new OperatorError('cannot tell what a wipe would do: only root sees all accounts and disks; run it as root');
  }
  const { clock, uid, signal } = context;
  const host = hostAccess({ clock, uid, home: '/root', signal });
  const { plan } = await planWipe(method, { host, run: systemTools(signal), own: ownFolders(places, context.program) });
  const { will, cannot, refused } = plan;
  output.json({ method, will, out_of_reach: cannot, ...(refused === undefined ? {} : { refused }) });
  if (refused !== undefined) output.line(`A wipe by ${method} would do nothing: ${refused}.`);
  else output.line(`A wipe by ${method} would:`);
  for (const sentence of will) output.line(`  - ${sentence}`);
  output.line('Out of its reach:');
  for (const sentence of cannot) output.line(`  - ${sentence}`);
  return refused === undefined ? EXIT.ok : EXIT.failed;
}
