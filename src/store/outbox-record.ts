/** Entries of the outbox: between stored fields and the type of core. Both adapters read with this. */
import { SEVERITIES } from '../core/audit.ts';
import { CHANNELS, type OutboxEntry } from '../core/delivery.ts';
import type { Fields } from '../core/value.ts';
import { dateAt, textAt } from './host-document.ts';

/** @returns undefined where a field is missing or not of its type */
export function outboxEntryOf(fields: Fields): OutboxEntry | undefined {
  const { key, message, receiver, hostname, name, title, attempts } = fields;
  const channel = CHANNELS.find((each) => each === fields['channel']);
  const severity = SEVERITIES.find((each) => each === fields['severity']);
  const [opened_at, created_at, next_at] = ['opened_at', 'created_at', 'next_at'].map((at) => dateAt(fields, at));
  if (typeof key !== 'string' || typeof message !== 'string' || typeof receiver !== 'string') return undefined;
  if (typeof hostname !== 'string' || typeof name !== 'string' || typeof title !== 'string') return undefined;
  if (channel === undefined || severity === undefined || typeof attempts !== 'number') return undefined;
  if (opened_at === undefined || created_at === undefined || next_at === undefined) return undefined;
  return {
    ...{ key, message, channel, receiver, hostname, name, opened_at, title, severity },
    ...optionalTexts(fields, 'reason', 'remediation'),
    ...{ created_at, next_at, attempts },
    ...optionalTexts(fields, 'failure'),
    ...optionalDates(fields, 'delivered_at', 'given_up_at'),
  };
}

export function outboxFields(entry: OutboxEntry): Fields {
  return { ...entry };
}

function optionalTexts<K extends string>(fields: Fields, ...keys: K[]): { [key in K]?: string } {
  const found: { [key in K]?: string } = {};
  for (const key of keys) {
    const text = textAt(fields, key);
    if (text !== undefined) found[key] = text;
  }
  return found;
}

function optionalDates<K extends string>(fields: Fields, ...keys: K[]): { [key in K]?: Date } {
  const found: { [key in K]?: Date } = {};
  for (const key of keys) {
    const at = dateAt(fields, key);
    if (at !== undefined) found[key] = at;
  }
  return found;
}
