import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type * as z from 'zod';
import { messageOf } from '../../core/errors.ts';
import { type Fields, getField } from '../../core/value.ts';
import { asFields } from '../escape.ts';
import { textAt } from '../host-document.ts';
import { fieldsOfText } from '../portable.ts';
import { BackupDamaged, type BackupEntry, COLLECTION, header, keyFile, trailer } from './format.ts';

/**
 * The entries of a backup, its header first. Only who has read to the end knows that it is whole.
 * @param bytes gzip
 * @throws BackupDamaged at the first thing that is wrong, at the latest in place of the end
 */
export async function* readBackup(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<BackupEntry> {
  const hash = createHash('sha256');
  let count = 0;
  let pending: Buffer | undefined;
  for await (const line of lines(bytes)) {
    // The line before: whether it is an entry or the trailer shows only now.
    if (pending !== undefined) {
      yield count === 0 ? headerOf(pending) : entryOf(pending);
      hash.update(pending).update('\n');
      count++;
    }
    pending = line;
  }
  if (pending === undefined) throw new BackupDamaged('it is empty');
  const end = trailer.safeParse(parse(pending)).data;
  if (end === undefined || count === 0) throw new BackupDamaged('it was cut off');
  if (end.entries !== count - 1 || end.sha256 !== hash.digest('hex')) throw new BackupDamaged('it was altered');
}

async function* lines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  for await (const chunk of unzip(bytes)) {
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, from)) {
      yield Buffer.concat([...parts, chunk.subarray(from, end)]);
      parts = [];
      from = end + 1;
    }
    if (from < chunk.length) parts.push(chunk.subarray(from));
  }
  if (parts.length > 0) throw new BackupDamaged('it was cut off');
}

async function* unzip(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const source = Readable.from(bytes, { objectMode: false });
  const gunzip = createGunzip();
  source.on('error', (error) => gunzip.destroy(error));
  try {
    for await (const chunk of source.pipe(gunzip)) yield chunk;
  } catch (cause) {
    const code: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined;
    if (code === 'Z_BUF_ERROR') throw new BackupDamaged('it was cut off', { cause });
    if (typeof code === 'string' && code.startsWith('Z_')) {
      throw new BackupDamaged(`it is not a backup, or was altered (${messageOf(cause)})`, { cause });
    }
    throw cause;
  } finally {
    source.destroy();
  }
}

function headerOf(line: Buffer): BackupEntry {
  const { format: _, version: __, ...rest } = decode(header, line);
  return { kind: 'header', header: rest };
}

function entryOf(line: Buffer): BackupEntry {
  const fields = readFields(line);
  if ('file' in fields) {
    const { file, mode, content } = decode(keyFile, line);
    return { kind: 'file', file, mode, content: Buffer.from(content, 'base64') };
  }
  const collection = textAt(fields, 'collection');
  const document = asFields(getField(fields, 'document'));
  if (collection === undefined || !COLLECTION.test(collection) || document === undefined) {
    throw new BackupDamaged('it does not hold what it should (expected a document)');
  }
  return { kind: 'document', collection, document };
}

function readFields(line: Buffer): Fields {
  try {
    return fieldsOfText(line.toString('utf8')) ?? {};
  } catch (cause) {
    throw new BackupDamaged('it was altered', { cause });
  }
}

function decode<T extends z.ZodType>(schema: T, line: Buffer): z.output<T> {
  const parsed = schema.safeParse(parse(line));
  if (parsed.success) return parsed.data;
  throw new BackupDamaged(`it does not hold what it should (${parsed.error.issues[0]?.message ?? 'unknown'})`);
}

function parse(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'));
  } catch {
    return undefined;
  }
}
