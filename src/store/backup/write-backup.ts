import { createHash } from 'node:crypto';
import type { StoredDocument } from '../port.ts';
import { toText } from '../portable.ts';
import { type BackupHeader, headerLine, type KeyFile } from './format.ts';

/** Lines are handed on together once they are this long. */
const CHUNK = 64 * 1024;

/** The text of a backup, before gzip, in chunks of whole lines. @param counted hears how many documents there were */
export async function* backupText(
  header: BackupHeader,
  files: KeyFile[],
  documents: AsyncIterable<StoredDocument>,
  counted: (documents: number) => void = () => {},
): AsyncGenerator<string> {
  const hash = createHash('sha256');
  let chunk = `${headerLine(header)}\n`;
  let entries = 0;
  const take = () => {
    const taken = chunk;
    hash.update(taken);
    chunk = '';
    return taken;
  };
  for (const { file, mode, content } of files) {
    chunk += `${JSON.stringify({ file, mode, content: Buffer.from(content).toString('base64') })}\n`;
    entries++;
  }
  for await (const { collection, document } of documents) {
    chunk += `{"collection":${JSON.stringify(collection)},"document":${toText(document)}}\n`;
    entries++;
    if (chunk.length >= CHUNK) yield take();
  }
  counted(entries - files.length);
  yield take();
  yield `${JSON.stringify({ entries, sha256: hash.digest('hex') })}\n`;
}
