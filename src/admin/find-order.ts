import { OperatorError } from '../core/errors.ts';
import type { Order } from '../core/order.ts';
import type { Store } from '../store/port.ts';
import { type Manifest, readManifest } from '../wire/v2/order.ts';
import { beginsWith } from './begins-with.ts';

/** By its id, or the beginning of one. @throws OperatorError where none is meant, or several are */
export async function findOrder({ orders }: Pick<Store, 'orders'>, wanted: string): Promise<Order> {
  const exact = await orders.find(wanted);
  if (exact !== undefined) return exact;
  const fitting: string[] = [];
  for await (const { id } of orders.list()) if (beginsWith(id, wanted)) fitting.push(id);
  const [id, ...others] = fitting;
  const order = id === undefined ? undefined : await orders.find(id);
  if (id === undefined || order === undefined) {
    throw new OperatorError(
      `cannot find an order ${wanted || '""'}; \`penguindome orders list\` shows those there are`,
    );
  }
  if (others.length === 0) return order;
  const list = fitting.slice(0, 10).map((each) => `  ${each}`);
  throw new OperatorError(`cannot tell which order is meant; give more of its id:\n${list.join('\n')}`);
}

/** What it says, as hosts read it: the columns of the store are not what was signed. @throws OperatorError where it cannot be read */
export function manifestOf({ id, manifest }: Order): Manifest {
  const read = readManifest(manifest);
  if (!read.ok) throw new OperatorError(`cannot use the order ${id}: ${read.reason}; hosts will refuse it`);
  if (read.value.id === id) return read.value;
  throw new OperatorError(
    `cannot use the order ${id}: what was signed is the order ${read.value.id}; somebody changed the store`,
  );
}
