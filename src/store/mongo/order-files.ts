import { FILES_STAY, FILES_WAIT, joinPieces, piecesOf, spanOf } from '../order-file.ts';
import type { Collections } from './collections.ts';
import { isDuplicateKey } from './errors.ts';
import { insertAll } from './insert-all.ts';
import { OPERATION_TIMEOUT } from './timeouts.ts';

const ON_DISK = { w: 'majority' as const, j: true, wtimeout: OPERATION_TIMEOUT };

/** Its own document comes last: a file that has one is whole, unless it is being removed at that moment. */
export async function putOrderFile(
  collections: Collections,
  file: { sha256: string; size: number },
  content: Uint8Array,
  at: Date,
): Promise<void> {
  const { order_files, order_file_pieces } = collections;
  const { sha256, size } = file;
  const pieces = piecesOf(file, content);
  const keep = async () => (await order_files.updateOne({ _id: sha256 }, { $max: { put_at: at } })).matchedCount > 0;
  if (await keep()) return;
  for (const [position, piece] of pieces.entries()) {
    await insertAll(collections, order_file_pieces, [{ sha256, position, content: piece }], ON_DISK);
  }
  try {
    await order_files.insertOne({ _id: sha256, size, put_at: at });
  } catch (error) {
    // somebody else puts in the same
    if (!isDuplicateKey(error)) throw error;
    await keep();
  }
}

export async function readOrderFile(
  { order_files, order_file_pieces }: Collections,
  sha256: string,
  offset: number,
  length: number,
): Promise<Uint8Array | undefined> {
  const size: unknown = (await order_files.findOne({ _id: sha256 }))?.['size'];
  if (typeof size !== 'number') return undefined;
  const span = spanOf(size, offset, length);
  const pieces = await order_file_pieces
    .find({ sha256, position: { $gte: span.first, $lt: span.last } })
    .sort({ position: 1 })
    .toArray();
  return joinPieces(
    pieces.map(({ content }) => String(content)),
    span,
  );
}

/** What nobody is to have any more, and what a crash left behind. A file's own document goes before its pieces. */
export async function dropOrderFiles(collections: Collections, at: Date): Promise<void> {
  const { orders, order_files, order_file_pieces } = collections;
  const named = await orders.distinct('files.sha256', { expires_at: { $gt: new Date(at.getTime() - FILES_STAY) } });
  const waits = new Date(at.getTime() - FILES_WAIT);
  await order_files.deleteMany({ _id: { $nin: named }, put_at: { $lt: waits } });
  const there = await order_files.distinct('_id');
  const loose = await order_file_pieces.distinct('sha256', { sha256: { $nin: there } });
  if (loose.length === 0) return;
  // ObjectIds tell when a piece was put in
  for await (const piece of order_file_pieces.find({ sha256: { $in: loose } }, { projection: { _id: 1 } })) {
    if (piece._id.getTimestamp() < waits) await order_file_pieces.deleteOne({ _id: piece._id });
  }
}
