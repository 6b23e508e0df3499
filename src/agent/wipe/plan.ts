import type { WipeMethod } from '../../core/order.ts';
import type { RunTool } from './tools.ts';

/** What a wipe would do on this machine, decided from facts alone: told to the server before, and to whoever asks `wipe-plan`. */
export interface Plan {
  method: WipeMethod;
  /** sentences without subject: `remove the home /home/alice` */
  will: string[];
  /** what stays readable, and why */
  cannot: string[];
  /** nothing is done: why */
  refused?: string;
}

/** What carrying out a plan takes. */
export interface Work {
  run: RunTool;
  /** root's alone */
  folder: string;
  /** hears each step as it is done */
  step(sentence: string): Promise<void>;
}
