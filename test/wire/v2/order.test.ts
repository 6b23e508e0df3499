import test from 'ava';
import { canonicalJson } from '../../../src/wire/v2/digest.ts';
import {
  LARGEST_FILE,
  LARGEST_MANIFEST,
  LARGEST_ORDER_CONTENT,
  MOST_SIGNATURES,
  MOST_TARGETS,
  ORDER_TYPE,
  readManifest,
  readOrderDocument,
  writeManifest,
} from '../../../src/wire/v2/order.ts';

const HOST = { host_id: '019ab0c4-5e00-7000-8000-000000000001', hostname: 'penguin' };
const FILE = { path: 'commands/hello', mode: 0o755, sha256: 'ab'.repeat(32), size: 6 };
const COMMAND = {
  type: ORDER_TYPE,
  id: '019ab0c4-5e00-7000-8000-000000000003',
  kind: 'command',
  targets: [HOST],
  files: [FILE],
  timeout: 60,
  made_at: '2026-11-23T12:00:00.000Z',
  expires_at: '2026-11-30T12:00:00.000Z',
  by: 'alice',
  why: '',
} as const;
const { timeout: _, ...REST } = COMMAND;
const PATCH = { ...REST, kind: 'patch', files: [{ ...FILE, path: 'plugins/x' }], removed: [] };
const RELEASE = { ...REST, kind: 'release', targets: 'all', files: [], number: 1 };
const WIPE = { ...REST, kind: 'wipe', files: [], method: 'lock' };

const text = (content: object) => canonicalJson(JSON.parse(JSON.stringify(content)));

const TAKEN: Record<string, object> = {
  command: COMMAND,
  patch: PATCH,
  'patch that only removes': { ...PATCH, files: [], removed: ['settings/a.yml', 'commands/b'] },
  'release without anything': RELEASE,
  wipe: WIPE,
  unlock: { ...REST, kind: 'unlock', files: [] },
  settings: { ...REST, kind: 'settings', files: [], wanted: { collectors: { disabled: ['x'] } } },
  'settings that want nothing': { ...REST, kind: 'settings', files: [], wanted: {} },
  'ninety days': { ...COMMAND, expires_at: '2027-02-21T12:00:00.000Z' },
  'most targets': { ...COMMAND, targets: Array.from({ length: MOST_TARGETS }, () => HOST) },
};

for (const [what, content] of Object.entries(TAKEN)) {
  test(`a manifest is taken: ${what}`, (t) => {
    const read = readManifest(text(content));
    if (!read.ok) return t.fail(read.reason);
    t.is(writeManifest(read.value), text(content));
  });
}

const pathOf = (path: string) => ({ ...PATCH, files: [{ ...FILE, path }] });

const REFUSED: Record<string, object> = {
  'another type': { ...COMMAND, type: 'penguindome-order-2' },
  'another kind': { ...COMMAND, kind: 'reboot' },
  'a field that is not known': { ...COMMAND, sudo: true },
  'an id that tells no time': { ...COMMAND, id: '019ab0c4-5e00-4000-8000-000000000003' },
  'no expiry': { ...COMMAND, expires_at: undefined },
  'more than ninety days': { ...COMMAND, expires_at: '2027-02-21T12:00:00.001Z' },
  'an end before its beginning': { ...COMMAND, expires_at: '2026-11-23T11:59:59.999Z' },
  'an end before it counts': { ...COMMAND, not_before: '2026-12-01T12:00:00.000Z' },
  'a time that is none': { ...COMMAND, made_at: '2026-13-23T12:00:00.000Z' },
  'a time without milliseconds': { ...COMMAND, made_at: '2026-11-23T12:00:00Z' },
  'nobody that it is by': { ...COMMAND, by: '' },
  'more than one line of why': { ...COMMAND, why: 'a\nb' },
  'no targets': { ...COMMAND, targets: [] },
  'all as targets of a command': { ...COMMAND, targets: 'all' },
  'named targets of a release': { ...RELEASE, targets: [HOST] },
  'two targets of a wipe': { ...WIPE, targets: [HOST, HOST] },
  'too many targets': { ...COMMAND, targets: Array.from({ length: MOST_TARGETS + 1 }, () => HOST) },
  'a target without a name': { ...COMMAND, targets: [{ host_id: HOST.host_id }] },
  'a target whose name is none': { ...COMMAND, targets: [{ ...HOST, hostname: '../x' }] },
  'two programs': { ...COMMAND, files: [FILE, { ...FILE, path: 'commands/other' }] },
  'a program that is a plugin': { ...COMMAND, files: [{ ...FILE, path: 'plugins/x' }] },
  'no timeout': REST,
  'files of a wipe': { ...WIPE, files: [FILE] },
  'a method that is not known': { ...WIPE, method: 'explode' },
  'a set-user-id bit': { ...COMMAND, files: [{ ...FILE, mode: 0o4755 }] },
  'a file that all may write': { ...COMMAND, files: [{ ...FILE, mode: 0o777 }] },
  'a file that is too large': { ...COMMAND, files: [{ ...FILE, size: LARGEST_FILE + 1 }] },
  'files that are too large together': {
    ...RELEASE,
    files: Array.from({ length: LARGEST_ORDER_CONTENT / LARGEST_FILE + 1 }, (_, index) => ({
      ...FILE,
      path: `plugins/${index}`,
      size: LARGEST_FILE,
    })),
  },
  'a path twice': { ...PATCH, removed: ['plugins/x'] },
  'a patch that changes nothing': { ...PATCH, files: [] },
  'number 0 of a release': { ...RELEASE, number: 0 },
  'a setting that is not known': { ...REST, kind: 'settings', files: [], wanted: { url: 'https://x' } },
  'an absolute path': pathOf('/etc/passwd'),
  'a path that goes up': pathOf('plugins/../../x'),
  'the parent itself': pathOf('plugins/..'),
  'a folder that is not allowed': pathOf('trust/keys'),
  'trust.d': pathOf('../../etc/penguindome/trust.d/policy.yml'),
  'a folder below': pathOf('plugins/a/b'),
  'a hidden file': pathOf('plugins/.x'),
  'a file without a name': pathOf('plugins/'),
  'a NUL in a path': pathOf('plugins/a\u0000'),
  'a line end in a path': pathOf('plugins/a\n'),
  'a path that is removed outside': { ...PATCH, removed: ['/etc/shadow'] },
};

for (const [what, content] of Object.entries(REFUSED)) {
  test(`a manifest is refused: ${what}`, (t) => {
    const read = readManifest(text(content));
    t.false(read.ok);
    if (!read.ok) t.regex(read.reason, /^the manifest cannot be read: [^\n]{1,200}$/);
  });
}

test('there is one text for one order', (t) => {
  const good = text(COMMAND);
  t.true(readManifest(good).ok);
  const twice = good.replace('"by":"alice"', '"by":"alice","by":"alice"');
  for (const other of [` ${good}`, `${good}\n`, JSON.stringify(COMMAND), twice, good.replace('alice', '\\u0061lice')]) {
    t.deepEqual(readManifest(other), { ok: false, reason: 'the manifest is not canonical JSON' }, other.slice(0, 40));
  }
  t.deepEqual(readManifest('{'), { ok: false, reason: 'the manifest is no JSON' });
  t.false(readManifest('x'.repeat(LARGEST_MANIFEST + 1)).ok);
  t.throws(() => writeManifest({ ...COMMAND, targets: [HOST], files: [FILE], by: '' }), { instanceOf: TypeError });
});

test('an order travels with one signature or some, and nothing else', (t) => {
  const signature = '-----BEGIN PGP SIGNATURE-----\n';
  const read = (content: object) => readOrderDocument(Buffer.from(JSON.stringify(content))).ok;
  t.true(read({ manifest: 'x', signatures: [signature] }));
  t.true(read({ manifest: 'x', signatures: Array.from({ length: MOST_SIGNATURES }, () => signature) }));
  t.false(read({ manifest: 'x', signatures: Array.from({ length: MOST_SIGNATURES + 1 }, () => signature) }));
  t.false(read({ manifest: 'x', signatures: [] }));
  t.false(read({ manifest: 'x', signatures: ['x'] }));
  t.false(read({ manifest: 'x', signatures: [signature + 'x'.repeat(16 * 1024)] }));
  t.false(read({ manifest: 'x', signatures: [signature], more: 1 }));
  t.false(read({ manifest: {}, signatures: [signature] }));
});
