import { formatDuration } from '../core/duration.ts';
import type { KeyPath } from './read-yaml.ts';
import { isDuration } from './scalars.ts';
import { schemasAt } from './schema-at.ts';
import { type ServerSettings, serverSettings } from './server-settings.ts';

/** Settings as a file would have them: durations in words, what is absent left out. They hold no secrets. */
export function plainSettings(settings: ServerSettings): Record<string, unknown> {
  return plainGroup(settings, []);
}

function plainGroup(group: object, path: KeyPath): Record<string, unknown> {
  const entries = Object.entries(group).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, plain(value, [...path, key])]));
}

function plain(value: unknown, path: KeyPath): unknown {
  if (Array.isArray(value)) return value.map((member, index) => plain(member, [...path, index]));
  if (typeof value === 'object' && value !== null) return plainGroup(value, path);
  return typeof value === 'number' && schemasAt(serverSettings, path).some(isDuration) ? formatDuration(value) : value;
}
