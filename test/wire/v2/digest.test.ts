import test from 'ava';
import type { Digest } from '../../../src/core/host.ts';
import { bodyDigest, canonicalJson, contentDigest, listDigest } from '../../../src/wire/v2/digest.ts';

test('the content digest is that of RFC 9530 appendix D', (t) => {
  t.is(contentDigest(Buffer.from('{"hello": "world"}\n')), 'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:');
});

test('canonical JSON is that of the example in RFC 8785 section 3.2.2', (t) => {
  const value: unknown = JSON.parse(String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`);
  t.is(
    canonicalJson(value),
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  );
});

test('keys are sorted by UTF-16 code units, as RFC 8785 section 3.2.3 has it', (t) => {
  const keys = Object.keys(
    JSON.parse(
      canonicalJson({ '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 }),
    ),
  );
  t.deepEqual(keys, ['1', '\r', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33']);
});

test('a body under __proto__ counts like any other', (t) => {
  t.is(canonicalJson(JSON.parse('{"b":1,"__proto__":{"a":2}}')), '{"__proto__":{"a":2},"b":1}');
});

test('what JSON cannot hold is refused', (t) => {
  for (const value of [undefined, Number.NaN, Number.POSITIVE_INFINITY, { a: undefined }, [() => 1]]) {
    t.throws(() => canonicalJson(value), { instanceOf: TypeError });
  }
});

test('the digest of a list does not depend on the order in which it was made', (t) => {
  const [a, b] = [bodyDigest({ a: 1 }), bodyDigest('unknown')];
  t.is(listDigest({ 'plugins.x': a, 'commands.y': b }), listDigest({ 'commands.y': b, 'plugins.x': a }));
  t.not(listDigest({ 'plugins.x': a }), listDigest({ 'plugins.x': b }));
  const none: Record<string, Digest> = {};
  t.is(listDigest(none), bodyDigest([]));
});
