import { join } from 'node:path';
import { OperatorError } from '../../core/errors.ts';
import { LARGEST_MANIFEST, readManifest, readOrderDocument } from '../../wire/v2/order.ts';
import { EXIT } from '../exit-codes.ts';
import type { Places } from '../places.ts';
import { readHostile } from '../read-hostile.ts';
import type { Accepted } from './accepted.ts';
import { folderOf, UUID } from './order-folder.ts';

/** An order that was accepted before: its signatures were checked when it was put there, into a folder of root's alone. */
export async function readAccepted({ orders }: Pick<Places, 'orders'>, id: string): Promise<Accepted> {
  const folder = folderOf({ orders }, id);
  const bytes = UUID.test(id) ? await readHostile(join(folder, 'order.json'), 2 * LARGEST_MANIFEST) : undefined;
  const document = bytes && readOrderDocument(bytes);
  const manifest = document?.ok === true ? readManifest(document.value.manifest) : undefined;
  if (manifest?.ok !== true || manifest.value.id !== id) {
    throw new OperatorError(`cannot run the order ${id}: it was not accepted here`, { exitCode: EXIT.usage });
  }
  return { manifest: manifest.value, folder };
}
