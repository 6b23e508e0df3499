import type { NetworkInterfaceInfo } from 'node:os';
import test, { type ExecutionContext } from 'ava';
import type { CollectorTools, CommandResult, HostAccess } from '../../../src/agent/collector.ts';
import { COLLECTORS } from '../../../src/agent/collectors/index.ts';
import { runCollector } from '../../../src/agent/run-collector.ts';
import { memory, thisHost } from './host-in-folder.ts';

const MEBIBYTE = 1024 * 1024;
const fill = (piece: string, length = MEBIBYTE - 1) => piece.repeat(Math.ceil(length / piece.length)).slice(0, length);

/** What every file holds and every program prints. */
const TEXTS: Record<string, string> = {
  'nothing at all': '',
  'an empty line': '\n',
  'binary data': Buffer.from(Array.from({ length: 20_000 }, (_, index) => (index * 7919) % 256)).toString('utf8'),
  'bytes that are no UTF-8': Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0x80, 0x0a, 0xf0, 0x28]).toString('utf8'),
  'JSON that is cut off': '{"blockdevices": [{"name": "sda", "children": [{"na',
  'JSON of another shape: a list': '[null, 1, "x", [], {}, {"name": null}, {"name": {}}]',
  'JSON of another shape: null': 'null',
  'JSON of another shape: values of other types':
    '{"users": 1, "nftables": {"table": 5}, "blockdevices": "none", "version": [], "name": null, "__proto__": {"x": 1}, "data": {"a": null}}',
  'a table that is cut off': 'Name   Value  Type\nfoo    1      yes\nbar',
  'settings that are cut off': '[Section\nkey = value\nother=\n= nothing\nPermitRootLogin\n<unclosed attr="',
  'names that objects have': 'constructor=__proto__\n__proto__ constructor toString\nhasOwnProperty: valueOf\n',
  'numbers that are none': '-1 99999999999999999999 NaN 1e999 0x10 08 -\n4294967296:-5:::/:\n',
  'one line without an end': fill('a'),
  'lines without an end': fill('foo 1 2 3 = x: y / z\n'),
  'brackets without an end': fill('[{"a":'),
  'spaces without an end': fill(' '),
  // As many lines as others have bytes: a quarter is enough to tell what goes through all of them for each.
  'empty lines without an end': fill('\n', MEBIBYTE / 4),
};

const RESULTS: Record<string, Pick<CommandResult, 'code' | 'problem'>> = {
  'status 0': { code: 0 },
  'status 1': { code: 1 },
  'too much output': { code: null, problem: 'too-much-output' },
};

/** Names that files and devices may have. */
const NAMES = ['-rf', '1', '99999999999999999999', '__proto__', 'a b\n', 'eth0', 'x'.repeat(255), '\u0001', '\ufffd'];
/** Folders below what a collector asks for by name; a real file system ends somewhere, too. */
const DEEPEST = 2;

/** A machine on which everything is there, and says this. */
function sayingHost(t: ExecutionContext, text: string, result: Pick<CommandResult, 'code' | 'problem'>): HostAccess {
  const names = text.length > 100_000 ? ['1'] : NAMES;
  const depth = (path: string) => path.split('/').filter((name) => names.includes(name)).length;
  return {
    ...thisHost(t),
    readText: async (path, { max = MEBIBYTE } = {}) => {
      if (text.length > max) throw new Error(`cannot read ${path}: it holds more than ${max} bytes`);
      return text;
    },
    list: async (path) => (depth(path) < DEEPEST ? [...names] : []),
    stat: async (path) => ({
      id: '1:1',
      kind: depth(path) > 0 && depth(path) < DEEPEST ? 'directory' : 'file',
      size: Number.MAX_SAFE_INTEGER,
      mode: 0o7777,
      uid: 4_294_967_295,
      modified: new Date(-62_135_596_800_000),
      changed: new Date(8_640_000_000_000_000),
    }),
    readLink: async () => (text === '' ? undefined : text.slice(0, 4000)),
    find: async (program) => `/usr/bin/${program}`,
    run: async (_path, _args, { maxOutput = MEBIBYTE } = {}) => ({
      ...result,
      stdout: text.slice(0, maxOutput),
      stderr: text.slice(0, maxOutput),
    }),
    networkInterfaces: () => ({ ['']: undefined, ['__proto__']: [], 'a b\n': [ADDRESS] }),
    release: () => text.slice(0, 65),
    isRoot: true,
    now: () => new Date(1_800_000_000_000),
  };
}

const ADDRESS: NetworkInterfaceInfo = {
  address: 'garbage',
  netmask: '',
  family: 'IPv4',
  mac: '::',
  internal: false,
  cidr: null,
};

/** What another version kept, or a damaged disk made of it. */
function forgetful(value: unknown): CollectorTools {
  return { ...memory(), recall: async () => ({ at: new Date(0), value }), keep: async () => undefined };
}

/** What a mistake of ours reads like, where it is told as the reason of an unknown. */
const MISTAKE =
  /Cannot read prop|Cannot set prop|Cannot convert|Cannot destructure|is not a function|is not iterable|is not defined|Invalid (?:time|array|count|string)|call stack|Unexpected (?:token|end|non-white)/;

for (const collector of COLLECTORS) {
  for (const [what, text] of Object.entries(TEXTS)) {
    test.serial(
      `${collector.name}: where all files and programs say ${what}, it answers in time, twice the same`,
      async (t) => {
        t.timeout(110_000);
        // What is as large as can be takes its time: once is enough.
        const results = Object.entries(RESULTS).slice(0, text.length > 100_000 ? 1 : 3);
        for (const [status, result] of results) {
          const look = async () => {
            const host = sayingHost(t, text, result);
            const kit = { hostFor: () => host, toolsFor: () => memory() };
            return runCollector({ ...collector, timeout: 90_000 }, kit, new AbortController().signal);
          };
          const first = await look();
          t.notThrows(() => JSON.parse(first.text));
          t.notRegex(first.text, MISTAKE, status);
          t.notRegex(first.failure ?? '', /did not end/, status);
          t.is((await look()).text, first.text, `${status}: it flaps`);
        }
      },
    );
  }

  test.serial(`${collector.name}: what was kept in another shape is no reason to fail`, async (t) => {
    for (const value of [null, 7, 'text', [], [null], {}, { users: 1 }, { value: { at: 'never' } }]) {
      const host = sayingHost(t, '', { code: 0 });
      const kit = { hostFor: () => host, toolsFor: () => forgetful(value) };
      const { text, failure } = await runCollector(collector, kit, new AbortController().signal);
      t.is(failure, undefined);
      t.notRegex(text, MISTAKE, JSON.stringify(value));
    }
  });
}
