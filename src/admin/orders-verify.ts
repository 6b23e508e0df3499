import { isDeepStrictEqual } from 'node:util';
import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import type { Order } from '../core/order.ts';
import type { Store } from '../store/port.ts';
import { checkOpenPgpKey } from './check-given-files.ts';
import type { AdminContext } from './context.ts';
import { findOrder, manifestOf } from './find-order.ts';
import { orderOf } from './make-order.ts';
import { judgeSignatures } from './order-signatures.ts';
import { readStoredFile } from './read-stored-file.ts';

export function ordersVerify(context: AdminContext): Command {
  return new Command('verify')
    .description(
      'checks an order in the store: that it can be read, who signed it, and that its files are what was signed',
    )
    .argument('<order>', 'its id, or the beginning of it')
    .option('--key <file...>', "operators' public keys (armored), beside those of your GnuPG keyring")
    .addHelpText('after', EXAMPLES)
    .action((order: string, { key }: { key?: string[] }) => verify(context, order, key ?? []));
}

const EXAMPLES = `
The server only looks; whose signatures count decides each host by its own trust.d.
Exit status: 0 where all is well, 1 where anything is not.

Examples:
  penguindome orders verify 0199f3c2
  penguindome orders verify 0199f3c2 --key ann.asc --json`;

async function verify(context: AdminContext, wanted: string, keyFiles: readonly string[]): Promise<void> {
  const { output } = context;
  const store = await context.store();
  const order = await findOrder(store, wanted);
  const { files } = manifestOf(order);
  const more = await Promise.all(keyFiles.map((file) => checkOpenPgpKey(file, '--key')));
  const signatures = await judgeSignatures(context, order, more.join('\n'));
  const damaged: string[] = [];
  for (const { path, sha256, size } of files) if (!(await isWhole(store, { sha256, size }))) damaged.push(path);
  const faults = [
    ...findColumnFaults(order),
    ...(await findTargetFaults(store, order)),
    ...damaged.map((path) => `${path} is not the file that was signed`),
  ];
  const ok = faults.length === 0 && signatures.every(({ fault }) => fault === undefined);
  if (output.wantsJson) output.json({ order: order.id, ok, signatures, faults });
  else {
    output.table(
      ['SIGNED BY', 'KEY', 'RESULT'],
      signatures.map(({ by, whose, fingerprint, fault }) => [whose, fingerprint ?? by, fault ?? 'genuine']),
    );
    for (const fault of faults) output.line(fault);
  }
  if (!ok) throw new OperatorError(`cannot vouch for the order ${order.id}; see above`);
}

async function isWhole(store: Store, file: { sha256: string; size: number }): Promise<boolean> {
  return (await readStoredFile(store, file)) !== undefined;
}

/** Hosts go by what was signed, the server by its columns: somebody may have changed these. */
function findColumnFaults(order: Order): string[] {
  const { cancelled_at: _, ...columns } = order;
  const signed = orderOf(manifestOf(order), order.manifest, order.signatures);
  return isDeepStrictEqual(columns, signed) ? [] : ['the store says something else of it than what was signed'];
}

/** By host id: a host that was renamed is shown by its new name. A release is for whoever comes. */
async function findTargetFaults({ orders }: Store, order: Order): Promise<string[]> {
  const { targets } = manifestOf(order);
  if (targets === 'all') return [];
  const named = new Map<string, string>(targets.map(({ host_id, hostname }) => [host_id, hostname]));
  const strangers: string[] = [];
  for await (const { host_id, hostname } of orders.targets({ order: order.id })) {
    if (!named.delete(host_id)) strangers.push(hostname);
  }
  return [
    ...[...named.values()].map((hostname) => `the store does not give it to ${hostname}`),
    ...strangers.map((hostname) => `the store gives it to ${hostname}, which it does not name`),
  ];
}
