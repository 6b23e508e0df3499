import type { OpenIssue, Severity } from './audit.ts';

/** The ways in which alerts leave. */
export const CHANNELS = ['journal', 'mail', 'user-mail', 'webhook'] as const;
export type Channel = (typeof CHANNELS)[number];

/** What is told of an open issue. The evidence stays here: it may hold what a host reported. */
export interface Alert {
  hostname: string;
  name: string;
  /** of the episode */
  opened_at: Date;
  title: string;
  severity: Severity;
  reason?: string;
  /** for this host's distribution */
  remediation?: string;
}

/** One alert for one receiver, until it is there (collection `outbox`). Waiting: neither delivered nor given up. */
export interface OutboxEntry extends Alert {
  /** idempotency key, hex: of host, issue, episode, the alert before, and receiver. The store holds each once */
  key: string;
  /** what is sent as one: entries of one mail share it */
  message: string;
  channel: Channel;
  /** mail address, name of the webhook in the settings, or `journal` */
  receiver: string;
  created_at: Date;
  /** not tried before that */
  next_at: Date;
  attempts: number;
  /** why the last attempt failed */
  failure?: string;
  delivered_at?: Date;
  given_up_at?: Date;
}

/** What goes to one receiver. */
export type Target = Pick<OutboxEntry, 'channel' | 'receiver'>;

/** What an audit run put into the outbox. */
export interface Queued {
  /** alerts times receivers, those that were in it already left out */
  queued: number;
  /** what kept alerts from it, in words */
  problems: string[];
}

/** What one sending run did, counted in alerts times receivers. */
export interface Sent {
  delivered: number;
  failed: number;
  given_up: number;
  /** one line for each receiver that something failed at */
  problems: string[];
}

export interface TestResult extends Target {
  /** absent: it took the message */
  failure?: string;
}

/** Delivery as the operator's commands see it. */
export interface Delivery {
  /** whether the settings name any receiver that is switched on */
  readonly on: boolean;
  /**
   * Puts alerts into the outbox, for every receiver that wants them. To be called before they are marked as alerted: where that mark is not
   * reached, the same alerts come again, and are known by their keys.
   * @param options.email to the hosts' users too, whatever the settings say
   */
  queue(alerts: readonly OpenIssue[], options: { at: Date; email: boolean }): Promise<Queued>;
  /** Tries what is due. Two at once do not send twice. */
  send(): Promise<Sent>;
  /**
   * Sends a marked message to every receiver, or to those of one channel or webhook. @param to one as hosts' users get them, to this address instead
   */
  test(wanted: { only?: string; to?: string }): Promise<TestResult[]>;
}
