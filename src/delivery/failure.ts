import type { Milliseconds } from '../core/duration.ts';

/** A message that did not arrive. The text tells an operator why; it never holds a webhook's URL. */
export class DeliveryFailed extends Error {
  override readonly name = 'DeliveryFailed';
  /** the receiver was not there at all: what else waits for it need not be tried now */
  readonly unreachable: boolean;
  /** how long the receiver asked us to wait */
  readonly retryAfter: Milliseconds | undefined;

  constructor(message: string, options: { unreachable?: boolean; retryAfter?: Milliseconds; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.unreachable = options.unreachable ?? false;
    this.retryAfter = options.retryAfter;
  }
}
