import { readFile } from 'node:fs/promises';
import { messageOf } from '../core/errors.ts';
import { DeliveryFailed } from './failure.ts';

/** PEM of the authorities that the settings name; undefined where they name none. */
export async function readCa(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new DeliveryFailed(`cannot read ${file}: ${messageOf(cause)}`, { unreachable: true, cause });
  }
}
