import type { OrderReport, Receipt } from '../../core/order.ts';
import type { Manifest } from '../../wire/v2/order.ts';

/** An order that counts here and now: signed by whom it has to be, for this host, not seen before, its time has come, and every approval is there. */
export interface Accepted {
  manifest: Manifest;
  /** orders/ID, root's alone: order.json, files/SHA256 (digests checked), state.json (what was done, order-state.ts) */
  folder: string;
}

/** Where what became of orders is written: by order id, atomically, from several processes at once. */
export interface Results {
  /** results/ID.json, with the next number and the time */
  report(order: string, report: Omit<OrderReport, 'order' | 'number' | 'at'>): Promise<void>;
  /** the next one of the chain */
  receipt(receipt: Pick<Receipt, 'order' | 'kind' | 'event' | 'by' | 'why' | 'detail'>): Promise<void>;
  /** results/known.json tells that release from now on */
  release(number: number): Promise<void>;
}
