import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { isFields } from '../../src/core/value.ts';
import { BackupDamaged, headerLine } from '../../src/store/backup/format.ts';
import { readBackup } from '../../src/store/backup/read-backup.ts';
import { frameReader, toFrame } from '../../src/store/embedded/frames.ts';
import { isAnswer, isHello, isWelcome } from '../../src/store/embedded/messages.ts';
import { asFields, escapeFields, escapeKey, unescapeKey } from '../../src/store/escape.ts';
import { fromText, readText, toText, writeText } from '../../src/store/portable.ts';
import { FUZZ } from '../support/fuzz.ts';

const HEADER = headerLine({ epoch: 'an epoch', made_at: new Date(0), consistent: true });

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** A backup whose trailer is right whatever its lines are: what somebody makes who knows the format. */
function sealed(lines: readonly string[]): Buffer {
  const text = lines.map((line) => `${line}\n`).join('');
  const sha256 = createHash('sha256').update(text).digest('hex');
  return gzipSync(`${text}${JSON.stringify({ entries: lines.length - 1, sha256 })}\n`, { level: 1 });
}

test('whatever is handed over as a backup, it is read, or called damaged', async (t) => {
  const json = fc.jsonValue({ maxDepth: 3 });
  const line = fc.oneof(
    json.map((document) => JSON.stringify({ collection: 'clients', document })),
    json.map((value) => JSON.stringify(value)),
    fc.record({ file: fc.string(), mode: fc.nat(), content: fc.base64String() }).map((file) => JSON.stringify(file)),
    fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\n', ' ')),
  );
  const whole = fc
    .tuple(fc.boolean(), fc.array(line, { maxLength: 4 }))
    .map(([headed, lines]) => sealed(headed ? [HEADER, ...lines] : lines));
  const torn = fc.tuple(whole, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([bytes, at, byte]) => {
    const copy = Buffer.from(bytes);
    copy[at % copy.length] = byte;
    return at % 3 === 0 ? copy.subarray(0, at % copy.length) : copy;
  });
  const input = fc.oneof(whole, torn, fc.uint8Array({ maxLength: 100 }));
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(input, async (bytes) => {
        try {
          for await (const entry of readBackup(once(bytes))) {
            if (entry.kind === 'document' && !isFields(entry.document)) return false;
          }
        } catch (error) {
          return error instanceof BackupDamaged;
        }
        return true;
      }),
      FUZZ,
    ),
  );
});

test('keys of documents come back as they were, whatever they are', (t) => {
  const fields = fc.dictionary(
    fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('$where', 'a.b', '__proto__', '\0', '')),
    fc.jsonValue({ maxDepth: 2 }),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(fields, (given) => {
        const value = asFields(JSON.parse(JSON.stringify(given)));
        if (value === undefined) return false;
        t.deepEqual(readText(writeText(value)), value);
        t.deepEqual(fromText(toText(escapeFields(value))), escapeFields(value));
        return Object.keys(value).every((key) => unescapeKey(escapeKey(key)) === key);
      }),
      FUZZ,
    ),
  );
});

test('frames come out as they went in, in whatever pieces they travel', (t) => {
  const frames = fc.array(fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constant(undefined), fc.date()), { maxLength: 5 });
  t.notThrows(() =>
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 40 })), (values, sizes) => {
        const read = frameReader();
        const got: unknown[] = [];
        for (const piece of pieces(Buffer.concat(values.map((value) => toFrame(value))), sizes))
          got.push(...read(piece));
        t.deepEqual(got, values);
      }),
      FUZZ,
    ),
  );
});

test('whatever bytes come to the writer or from it, they are a frame, or an error that ends the connection', (t) => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.tuple(fc.jsonValue({ maxDepth: 2 }), fc.nat(), fc.integer({ min: 0, max: 255 })).map(([value, at, byte]) => {
      const frame = toFrame(value);
      frame[at % frame.length] = byte;
      return frame;
    }),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(bytes, (input) => {
        try {
          for (const value of frameReader(1024)(Buffer.from(input))) {
            for (const is of [isHello, isWelcome, isAnswer]) if (typeof is(value) !== 'boolean') return false;
          }
        } catch (error) {
          return error instanceof Error;
        }
        return true;
      }),
      FUZZ,
    ),
  );
});

function* pieces(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (const size of sizes) {
    if (at >= bytes.length) return;
    yield bytes.subarray(at, at + size);
    at += size;
  }
  if (at < bytes.length) yield bytes.subarray(at);
}
