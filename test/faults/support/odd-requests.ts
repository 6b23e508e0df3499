import fc from 'fast-check';
import { ENROLL, KEYS, ROTATE, SUBMIT, UPDATE } from '../../../src/wire/v2/paths.ts';

/** A request that no good client sends: what to do to one that a good client would. */
export type OddRequest =
  /** signed as it is to be, with whatever bodies a report may have */
  | { kind: 'report'; report: [string, unknown][]; quiet: boolean; chain: string | null | undefined }
  /** fields replaced, then signed */
  | { kind: 'fields'; path: string; fields: [string, unknown][]; gzip: boolean }
  /** bytes of the body replaced, perhaps inside of the gzip, then signed */
  | { kind: 'bytes'; path: string; changes: Change[]; gzip: 'none' | 'within' | 'around'; cut: number }
  /** headers replaced after signing */
  | { kind: 'headers'; path: string; headers: [string, string][] }
  /** bytes of the whole request replaced */
  | { kind: 'raw'; chunked: boolean; changes: Change[]; cut: number }
  | { kind: 'path'; method: string; path: string }
  /** the form of v1, signed after (`fields`) or before (`changes`) it was spoiled */
  | { kind: 'v1'; path: string; fields: [string, unknown][]; changes: Change[] };

/** At a place (modulo the length) so many bytes give way to these. */
export interface Change {
  at: number;
  less: number;
  put: string;
}

const V1 = '/penguindome/v1';
const paths = fc.constantFrom(ENROLL, ROTATE, SUBMIT, UPDATE);
const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(),
  less: fc.nat({ max: 8 }),
  put: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.constantFrom(
      '"',
      '{',
      '[',
      '\\u0000',
      '\\ud800',
      '1e999',
      '-0',
      '\0',
      '\r\n',
      ': ',
      '%',
      '&data=',
      '{"__proto__":1}',
    ),
  ),
});
const changes = fc.array(change, { maxLength: 4 });
const oddValue = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(
    '',
    '\0',
    '$where',
    'penguin-0',
    'x'.repeat(300),
    '9999-12-31T23:59:59Z',
    '+275760-09-13T00:00:00Z',
    2 ** 53,
    -1,
    1.5,
  ),
  fc.nat({ max: 200 }).map((depth) => JSON.parse(`${'['.repeat(depth)}0${']'.repeat(depth)}`)),
);
const name = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('$set', 'a.b', '__proto__', 'n', 'submitted_at'),
);
const field = fc.constantFrom(
  'submission',
  'chain',
  'hostname',
  'collected_at',
  'digest',
  'list',
  'bodies',
  'gone',
  'agent',
  'token',
  'public_key',
  'proof',
  'release',
  'machine_id_digest',
  '__proto__',
  'constructor',
);
const v1Field = fc.constantFrom('hostname', 'collected_at', 'plugins', 'commands', 'old_release', 'id', '__proto__');
const header = fc.constantFrom(
  'content-type',
  'content-encoding',
  'content-digest',
  'penguindome-sequence',
  'signature-input',
  'signature',
  'host',
  'expect',
  'x-forwarded-for',
  'content-length',
  'transfer-encoding',
  'connection',
);
const headerValue = fc.oneof(
  fc.string({ maxLength: 30 }).map((text) => text.replace(/[^\x20-\x7e]/g, '')),
  fc.constantFrom(
    'gzip',
    'identity, gzip',
    'br',
    '0',
    '-1',
    '1e3',
    '9007199254740993',
    'sha-256=::',
    'penguindome=()',
    '100-continue',
    'chunked',
    'close',
    'text/plain',
  ),
);

export const oddRequest: fc.Arbitrary<OddRequest> = fc.oneof(
  fc.record({
    kind: fc.constant('report' as const),
    report: fc.array(fc.tuple(name, oddValue), { maxLength: 4 }),
    quiet: fc.boolean(),
    chain: fc.oneof(fc.constant(undefined), fc.constant(null), fc.string({ maxLength: 140 })),
  }),
  fc.record({
    kind: fc.constant('fields' as const),
    path: paths,
    fields: fc.array(fc.tuple(field, oddValue), { minLength: 1, maxLength: 3 }),
    gzip: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('bytes' as const),
    path: paths,
    changes,
    gzip: fc.constantFrom('none' as const, 'within' as const, 'around' as const),
    cut: fc.nat({ max: 30 }),
  }),
  fc.record({
    kind: fc.constant('headers' as const),
    path: paths,
    headers: fc.array(fc.tuple(header, headerValue), { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ kind: fc.constant('raw' as const), chunked: fc.boolean(), changes, cut: fc.nat({ max: 30 }) }),
  fc.record({
    kind: fc.constant('path' as const),
    method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'),
    path: fc.oneof(
      fc.constantFrom(
        KEYS,
        ENROLL,
        '/healthz',
        '/readyz',
        `${V1}/submit`,
        `${V1}/download_release`,
        '//',
        '/%',
        '/..%2f',
        '/?a',
      ),
      fc.webPath().map((path) => `/${path}`),
    ),
  }),
  fc.record({
    kind: fc.constant('v1' as const),
    path: fc.constantFrom(`${V1}/submit`, `${V1}/update`, `${V1}/acknowledge_patch`, '/PenguinDome/v1/submit'),
    fields: fc.array(fc.tuple(v1Field, oddValue), { maxLength: 3 }),
    changes,
  }),
);

export function changed(bytes: Buffer, changes: readonly Change[]): Buffer {
  let result = bytes;
  for (const { at, less, put } of changes) {
    const place = at % (result.length + 1);
    result = Buffer.concat([result.subarray(0, place), Buffer.from(put, 'latin1'), result.subarray(place + less)]);
  }
  return result;
}
