import { randomBytes } from 'node:crypto';
import { MongoClient, MongoServerError } from 'mongodb';

const PIECE = 256 * 1024;
/** Far more than a file of the journal takes (places.ts). */
const MOST = 64;

/**
 * Uses up the room that a mongod has taken for its journal before the disk was full, up to 2 MB, which reports alone take seconds to fill.
 * What is written to `local` is in the journal, and in no oplog. @returns once the mongod has ended itself
 */
export async function crowdJournal(url: string): Promise<void> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 1000, retryWrites: false });
  try {
    const crowd = client.db('local').collection<{ _id: number; bytes: Buffer }>('crowd');
    for (let piece = 1; piece <= MOST; piece++) {
      // Now and then until it is on the disk: to wait for each takes as long as a commit interval.
      const options = { upsert: true, writeConcern: { w: 1, journal: piece % 8 === 0 } };
      await crowd.replaceOne({ _id: 0 }, { bytes: randomBytes(PIECE) }, options).catch(unlessFull);
    }
  } catch {
    // it is gone, as intended
  } finally {
    await client.close();
  }
}

/** There may be room in the journal still, though none elsewhere. */
function unlessFull(error: unknown): void {
  if (!(error instanceof MongoServerError)) throw error;
}
