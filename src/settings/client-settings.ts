/**
 * What a server wants of its agents' settings, for all of them or for one host: `client-settings.yml`.
 *
 * Only what is listed here can be wanted. Whom an agent speaks to and trusts, what it runs, and what tells of people unless somebody
 * switched it on at the machine (docs/privacy.md: `collectors.enabled`, `geolocation`, `ip_addresses`) is the machine's own affair.
 */
import * as v from 'valibot';
import { formatDuration } from '../core/duration.ts';
import { isHostname } from '../core/host.ts';
import { duration, name } from './agent-settings.ts';

export const wantedSettings = v.strictObject({
  collect_interval: v.optional(duration),
  submit_interval: v.optional(duration),
  collectors: v.optional(v.strictObject({ disabled: v.optional(v.array(name)) })),
});

/** What a file `settings/NAME.yml` of a release or a patch may hold: the same, and what the site tells its plugins. */
export const siteFileSettings = v.strictObject({
  ...wantedSettings.entries,
  plugins: v.optional(v.strictObject({ settings: v.optional(v.record(name, v.record(v.string(), v.unknown()))) })),
});

const hostname = v.pipe(v.string(), v.check(isHostname, 'expected a host name'));

export const clientSettings = v.strictObject({
  /** of every agent */
  all: v.optional(wantedSettings, {}),
  /** of one host: goes before what is wanted of all; lists are replaced, as in agent.d */
  hosts: v.optional(v.record(hostname, wantedSettings), {}),
});

export type WantedSettings = v.InferOutput<typeof wantedSettings>;
export type ClientSettings = v.InferOutput<typeof clientSettings>;

export const CLIENT_KEYS = ['collect_interval', 'submit_interval', 'collectors.disabled'] as const;
export type ClientKey = (typeof CLIENT_KEYS)[number];

/** Settings by their keys, each in the one way in which equal ones are written the same. */
export type PlainWanted = Partial<Record<ClientKey, string | string[]>>;

export function plainWanted({ collect_interval, submit_interval, collectors }: WantedSettings): PlainWanted {
  const { disabled } = collectors ?? {};
  return {
    ...(collect_interval === undefined ? {} : { collect_interval: formatDuration(collect_interval) }),
    ...(submit_interval === undefined ? {} : { submit_interval: formatDuration(submit_interval) }),
    ...(disabled === undefined ? {} : { 'collectors.disabled': [...new Set(disabled)].sort() }),
  };
}

/** All that is wanted of a host. */
export function wantedOf({ all, hosts }: ClientSettings, host: string): PlainWanted {
  return { ...plainWanted(all), ...plainWanted(Object.hasOwn(hosts, host) ? (hosts[host] ?? {}) : {}) };
}

/** The same as an order tells it to agents. */
export function orderedWanted(plain: PlainWanted): {
  collect_interval?: string;
  submit_interval?: string;
  collectors?: { disabled: string[] };
} {
  const text = (key: 'collect_interval' | 'submit_interval') => {
    const value = plain[key];
    return typeof value === 'string' ? { [key]: value } : {};
  };
  const disabled = plain['collectors.disabled'];
  return {
    ...text('collect_interval'),
    ...text('submit_interval'),
    ...(Array.isArray(disabled) ? { collectors: { disabled } } : {}),
  };
}

const reported = v.object({
  collect_interval: v.optional(duration),
  submit_interval: v.optional(duration),
  collectors: v.optional(v.object({ disabled: v.optional(v.array(v.string())) })),
});

/** What a host says of its settings (`plugins.agent.settings`). @returns undefined where it says nothing, or what is none */
export function readReported(value: unknown): PlainWanted | undefined {
  const parsed = v.safeParse(reported, value);
  return parsed.success ? plainWanted(parsed.output) : undefined;
}

export interface Difference {
  key: ClientKey;
  wanted: string | string[];
  /** null: the host does not say */
  reported: string | string[] | null;
}

export type Comparison =
  /** nothing is wanted of it */
  | { state: 'free' }
  | { state: 'agrees' }
  | { state: 'differs'; differences: Difference[] }
  /** an older agent, the original client, or the collector `agent` is switched off */
  | { state: 'not-reported' };

export function compareWanted(wanted: PlainWanted, reported: PlainWanted | undefined): Comparison {
  const keys = CLIENT_KEYS.filter((key) => wanted[key] !== undefined);
  if (keys.length === 0) return { state: 'free' };
  if (reported === undefined) return { state: 'not-reported' };
  const differences = keys.flatMap((key) => {
    const [want, is] = [wanted[key] ?? [], reported[key] ?? null];
    return JSON.stringify(want) === JSON.stringify(is) ? [] : [{ key, wanted: want, reported: is }];
  });
  return differences.length === 0 ? { state: 'agrees' } : { state: 'differs', differences };
}
