import type { OutboxEntry } from '../core/delivery.ts';

/** The way to receivers that stand or fall together: all mail goes by one mail server. */
export interface Lane {
  /** messages under way at the same time */
  atOnce: number;
  /**
   * Sends entries of one message, and so of one receiver, as one.
   * @throws DeliveryFailed where it did not arrive, as far as can be told
   */
  send(entries: readonly OutboxEntry[], options: { test: boolean; signal: AbortSignal }): Promise<void>;
}

/** The lane by its name; undefined: nothing can be sent by it in this run, and what waits is left alone. */
export type OpenLane = (target: Pick<OutboxEntry, 'channel' | 'receiver'>) => Promise<Lane | undefined>;
