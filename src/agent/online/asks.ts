import * as v from 'valibot';
import type { OutsideName } from '../collector.ts';
import type { Places } from '../places.ts';
import { readFollowing } from '../read-hostile.ts';
import { writeAtomically } from '../write-atomically.ts';

/** In the order in which they are asked. */
export const OUTSIDE_NAMES = ['ip_addresses', 'geolocation', 'package_lists'] as const satisfies OutsideName[];

const asks = v.object({ asks: v.array(v.picklist(OUTSIDE_NAMES)) });

/**
 * Which facts the collector takes: whoever asks outside may not read what orders brought of the settings, and must not ask what nobody
 * wants to know. Written only where it changes, since a newer file has somebody ask (penguindome-tick).
 */
export async function leaveAsks({ asks: file }: Pick<Places, 'asks'>, names: readonly OutsideName[]): Promise<void> {
  const text = `${JSON.stringify({ asks: [...names].sort() })}\n`;
  const before = await readFollowing(file, LARGEST).catch(() => undefined);
  if (before?.toString('utf8') !== text) await writeAtomically(file, text, 0o644);
}

/** @returns nothing where the collector has not said anything yet */
export async function readAsks({ asks: file }: Pick<Places, 'asks'>): Promise<OutsideName[]> {
  const bytes = await readFollowing(file, LARGEST);
  return bytes === undefined ? [] : v.parse(asks, JSON.parse(bytes.toString('utf8'))).asks;
}

const LARGEST = 4096;
