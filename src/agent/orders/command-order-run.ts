import { join } from 'node:path';
import { OperatorError } from '../../core/errors.ts';
import { readManifest, readOrderDocument } from '../../wire/v2/order.ts';
import { EXIT } from '../exit-codes.ts';
import { programEnvironment } from '../host-access.ts';
import { readHostile } from '../read-hostile.ts';
import type { Session } from '../session.ts';
import type { Accepted } from './accepted.ts';
import { bootId } from './boot-id.ts';
import { openResults } from './results.ts';
import { runOrder } from './run-order.ts';

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const LARGEST = 8 * 1024 * 1024;

/** What `apply` starts for each command: runs an order that was accepted before, and tells what came of it. */
export async function commandOrderRun({ context, places }: Session, id: string): Promise<number> {
  const accepted = await readAccepted(join(places.orders.root, id), id);
  const { clock, home, signal, version } = context;
  await runOrder(accepted, {
    places,
    results: openResults(places, clock),
    clock,
    boot: await bootId(),
    env: { ...programEnvironment(home), PENGUINDOME_VERSION: version },
    signal,
  });
  return EXIT.ok;
}

/** Its signatures were checked when it was put there, into a folder of root's alone. */
async function readAccepted(folder: string, id: string): Promise<Accepted> {
  const bytes = ID.test(id) ? await readHostile(join(folder, 'order.json'), LARGEST) : undefined;
  const document = bytes && readOrderDocument(bytes);
  const manifest = document?.ok === true ? readManifest(document.value.manifest) : undefined;
  if (manifest?.ok !== true || manifest.value.id !== id) {
    throw new OperatorError(`cannot run the order ${id}: it was not accepted here`, { exitCode: EXIT.usage });
  }
  return { manifest: manifest.value, folder };
}
