import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Clock } from '../core/world.ts';
import type { AgentSettings } from '../settings/agent-settings.ts';
import { readCredential } from '../settings/read-secret.ts';
import type { CollectorTools, Left, OutsideName } from './collector.ts';
import { readHostile } from './read-hostile.ts';
import { writeAtomically } from './write-atomically.ts';

export interface Keeping {
  /** of one collector; made when first something is kept */
  folder: string;
  clock: Clock;
  settings: Pick<AgentSettings, 'collectors' | 'collect_interval' | 'submit_interval'>;
  /** of this agent; nobody asks for it but the collector that tells it */
  version?: string;
  /** false: nothing is written, and what was kept lasts as long as these tools */
  keeps: boolean;
  /** $CREDENTIALS_DIRECTORY, where systemd gave one */
  credentials?: string | undefined;
  /** what was asked outside beforehand; nothing was where absent */
  left?: (fact: OutsideName) => Promise<Left | undefined>;
}

/** Bytes of a file that holds what was kept. */
export const LARGEST_KEPT = 4 * 1024 * 1024;
const KEY = /^[\w-]{1,100}$/;

const kept = v.object({ at: v.pipe(v.string(), v.isoTimestamp()), value: v.unknown() });

export function isKey(text: string): boolean {
  return KEY.test(text);
}

/** What is kept lies in `FOLDER/KEY.json`: `{at, value}`. A file that cannot be read is as good as none. */
export function collectorTools({
  folder,
  clock,
  settings,
  version = 'unknown',
  keeps,
  credentials,
  left = async () => undefined,
}: Keeping): CollectorTools {
  // What one only looks with must say the same as what is to be sent: also where a collector recalls what it has just kept.
  const inMemory = new Map<string, string>();
  const fileOf = (key: string) => {
    if (!isKey(key)) throw new RangeError(`cannot keep anything under ${key}: not letters, digits, - and _`);
    return join(folder, `${key}.json`);
  };
  return {
    settings: settings.collectors,
    intervals: settings,
    version,
    recall: async (key) => {
      const file = fileOf(key);
      try {
        const text = inMemory.get(key) ?? (await readHostile(file, LARGEST_KEPT))?.toString('utf8');
        const { at, value } = v.parse(kept, JSON.parse(text ?? ''));
        return { at: new Date(at), value };
      } catch {
        return undefined;
      }
    },
    keep: async (key, value) => {
      const file = fileOf(key);
      const text = JSON.stringify({ at: clock.now().toISOString(), value });
      if (!keeps) {
        inMemory.set(key, text);
        return;
      }
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeAtomically(file, text, 0o600);
    },
    secret: async (credential, file) =>
      (await readCredential(credential, credentials, file, 'put it there'))?.text.trim(),
    left,
  };
}
