import { join } from 'node:path';
import type { Digest } from '../../core/host.ts';
import { digestOfText } from '../../wire/v2/digest.ts';
import type { Places } from '../places.ts';
import { readHostile } from '../read-hostile.ts';
import { LARGEST_BODY } from './report.ts';

/** @returns the canonical JSON of a body; undefined where it is not held, or is no longer what its digest says */
export async function readBody({ spool }: Pick<Places, 'spool'>, digest: Digest): Promise<string | undefined> {
  try {
    const text = (await readHostile(join(spool.bodies, digest), LARGEST_BODY))?.toString('utf8');
    return text !== undefined && digestOfText(text) === digest ? text : undefined;
  } catch {
    // A link, a folder, an unreadable sector: it is not held, and the next collection writes it anew.
    return undefined;
  }
}
