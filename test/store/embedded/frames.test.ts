import test from 'ava';
import fc from 'fast-check';
import { frameReader, toFrame, toTextFrame } from '../../../src/store/embedded/frames.ts';
import { rounds } from '../../support/soak.ts';

const numRuns = rounds(300, 20_000);
const messages = fc.array(
  fc.anything({ withDate: true, withMap: false, withSet: false, withBigInt: false, withNullPrototype: false }),
  { maxLength: 5 },
);

/** In pieces of the sizes given, over and over. */
function* cut(bytes: Buffer, sizes: number[]): Generator<Buffer> {
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const size = sizes[n % sizes.length] ?? bytes.length;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

test('whatever is sent arrives, in whatever pieces', (t) => {
  fc.assert(
    fc.property(messages, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (sent, sizes) => {
      const read = frameReader();
      const bytes = Buffer.concat(sent.map((message) => toFrame(message)));
      const came = [...cut(bytes, sizes)].flatMap(read);
      t.deepEqual(came, structuredClone(sent));
    }),
    { numRuns },
  );
});

test('what JSON can hold arrives as JSON too, among others, in whatever pieces', (t) => {
  const texts = fc.array(fc.jsonValue({ noUnicodeString: false }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(texts, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (sent, sizes) => {
      const read = frameReader();
      const bytes = Buffer.concat(sent.map((value, index) => (index % 2 === 0 ? toTextFrame(value) : toFrame(value))));
      const came = [...cut(bytes, sizes)].flatMap(read);
      t.deepEqual(JSON.stringify(came), JSON.stringify(sent));
    }),
    { numRuns },
  );
});

test('whatever else is sent is read, or refused', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 50 }), (bytes, size) => {
      const read = frameReader(1000);
      try {
        for (const piece of cut(Buffer.from(bytes), [size])) t.true(Array.isArray(read(piece)));
      } catch (error) {
        t.true(error instanceof Error);
      }
    }),
    { numRuns },
  );
});

test('a frame above the limit is refused by its length alone, and is not sent either', (t) => {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(1001);
  t.throws(() => frameReader(1000)(head), { message: 'cannot take a frame of 1001 bytes' });
  t.throws(() => toFrame('x'.repeat(2000), 1000), { instanceOf: RangeError });
});
