import { openOriginalDatabase } from '../../store/original-database.ts';
import type { Counts } from './copy-database.ts';
import type { OriginalStore } from './map-store.ts';

/** Opens the original's database for as long as that takes. */
export async function lookAt<T>(
  { settings, password }: OriginalStore,
  work: (database: Awaited<ReturnType<typeof openOriginalDatabase>>) => Promise<T>,
): Promise<T> {
  const database = await openOriginalDatabase(settings, password);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

export function placeOf({ hosts, database }: OriginalStore['settings']): string {
  return `${hosts.join(',')}/${database}`;
}

export function tellCounts(counts: Counts): string {
  const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  return parts.length === 0 ? 'nothing yet' : parts.join(', ');
}
