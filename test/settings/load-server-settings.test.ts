import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { minutes, seconds } from '../../src/core/duration.ts';
import { OperatorError } from '../../src/core/errors.ts';
import { loadServerSettings, parseServerSettings } from '../../src/settings/load-server-settings.ts';
import { plainSettings } from '../../src/settings/plain-settings.ts';
import { SettingsError } from '../../src/settings/settings-error.ts';
import { scratchFolder } from '../support/scratch.ts';

const VALID = `# the least that is needed
public_url: https://penguins.example:8443
ports:
  - port: 8443
    tls: {certificate: pki/server.crt, key: pki/server.key}
store: {kind: embedded, file: store/penguindome.db}
state: state
pki: pki
keys: /somewhere/keys
`;

/** What is said of the text, without the file's name before each line. */
function problemsOf(text: string): string[] {
  try {
    parseServerSettings(text, '/etc/x/server.yml');
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim().replace('/etc/x/server.yml:', ''));
  }
}

test('the least settings get safe defaults', (t) => {
  const settings = parseServerSettings(VALID, '/etc/x/server.yml');
  t.is(settings.local_port, 5000);
  t.is(settings.limits.headers_timeout, seconds(10));
  t.is(settings.agents.collect_interval, minutes(10));
  t.false(settings.v1.enabled);
  t.deepEqual(settings.ports[0]?.deprecated, false);
});

test('further certificates of a port are files like the first one, and seven at most', async (t) => {
  const folder = await scratchFolder(t);
  const file = join(folder, 'server.yml');
  const withAlso = (also: string) => VALID.replace('key: pki/server.key}', `key: pki/server.key, also: [${also}]}`);
  const one = '{certificate: a.crt, key: /b.key}';
  await writeFile(file, withAlso(one));
  t.like((await loadServerSettings(file)).ports[0]?.tls, {
    also: [{ certificate: join(folder, 'a.crt'), key: '/b.key' }],
  });
  await writeFile(file, withAlso(Array(8).fill(one).join()));
  await t.throwsAsync(loadServerSettings(file), { message: /ports\.0\.tls\.also: expected .*at most 7 entries/ });
  await writeFile(file, withAlso('{certificate: a.crt}'));
  await t.throwsAsync(loadServerSettings(file), {
    message: /ports\.0\.tls\.also\.0\.key: expected a text, found nothing/,
  });
});

test("relative paths count from the file's folder, absolute ones stay", async (t) => {
  const folder = await scratchFolder(t);
  const file = join(folder, 'server.yml');
  await writeFile(
    file,
    `${VALID}v1: {enabled: true, client_key: keys/v1-client.asc}\nchecks: [checks.d, /usr/share/checks]\nadvisories: known\n`,
  );
  const settings = await loadServerSettings(file);
  t.is(settings.state, join(folder, 'state'));
  t.is(settings.keys, '/somewhere/keys');
  t.deepEqual(settings.store, { kind: 'embedded', file: join(folder, 'store/penguindome.db') });
  t.deepEqual(settings.ports[0]?.tls, {
    certificate: join(folder, 'pki/server.crt'),
    key: join(folder, 'pki/server.key'),
  });
  t.is(settings.v1.client_key, join(folder, 'keys/v1-client.asc'));
  t.deepEqual(settings.checks, [join(folder, 'checks.d'), '/usr/share/checks']);
  t.is(settings.advisories, join(folder, 'known'));
});

test('every problem is named with its line, key, what was expected and what was found', (t) => {
  const text = `public_url: ftp://penguins.example
ports:
  - port: 70000
    tls: true
  - port: "8444"
    tls: {certificate: a.crt}
store: {kind: sqlite, file: x}
state: ""
pki: 3
log:
  level: loud
limits:
  headers_timeout: 5
  request_timeout: 1.5h
  body: 1.5
audit:
  business:
    days: [mon, someday]
    from: "9"
    holidays: [2027-02-30]
`;
  t.deepEqual(problemsOf(text), [
    '1: public_url: expected a URL that starts with http:// or https://, found "ftp://penguins.example"',
    '1: keys: expected a text, found nothing',
    '3: ports.0.port: expected a number of at most 65535, found 70000',
    '4: ports.0.tls: expected a group of keys or false, found true',
    '5: ports.1.port: expected a number, found "8444"',
    '6: ports.1.tls.key: expected a text, found nothing',
    '7: store.kind: expected embedded or mongo, found "sqlite"',
    '8: state: expected a text that is not empty, found ""',
    '9: pki: expected a text, found 3',
    '11: log.level: expected debug, info, warn or error, found "loud"',
    '13: limits.headers_timeout: expected a number and s, m, h or d, such as 10m, found 5',
    '14: limits.request_timeout: expected a number and s, m, h or d, such as 10m, found "1.5h"',
    '15: limits.body: expected a whole number, found 1.5',
    '18: audit.business.days.1: expected mon, tue, wed, thu, fri, sat or sun, found "someday"',
    '19: audit.business.from: expected HH:MM, found "9"',
    '20: audit.business.holidays.0: expected a date such as 2027-01-31, found "2027-02-30"',
  ]);
});

test('an unknown key is named, with the one that was meant where there is one near, and its value is not shown', (t) => {
  const text = `${VALID}limts: {body: 3}\naudit:\n  bussiness: {}\nlog:\n  colour: hunter2\n`;
  t.deepEqual(problemsOf(text), [
    '10: limts: expected a known key, found an unknown one; did you mean limits?',
    '12: audit.bussiness: expected a known key, found an unknown one; did you mean business?',
    '14: log.colour: expected a known key, found an unknown one (known here: level)',
  ]);
});

test('a password in the wrong place is not shown', (t) => {
  const store = 'store: {kind: mongo, hosts: [localhost], user: pd, password: hunter2, password_file: [hunter2]}';
  const said = problemsOf(VALID.replace(/^store:.*$/m, store).replace('//penguins', '//admin:hunter2@penguins'));
  t.is(said.length, 3);
  t.false(said.join('\n').includes('hunter2'), said.join('\n'));
  t.deepEqual(problemsOf(VALID.replace(/^state:.*$/m, 'state: [https://admin:hunter2@x]')), [
    '7: state: expected a text, found a list',
  ]);
});

test('a key that comes twice is named', (t) => {
  t.deepEqual(problemsOf(`${VALID}state: again\n`), ['10: state: expected each key once, found it a second time']);
});

test('what is no YAML is named with its line', (t) => {
  const [first = ''] = problemsOf(`${VALID}log: {level: [}\n`);
  t.regex(first, /^10: expected YAML, found what is none: /);
  t.regex(problemsOf(`${VALID}---\n${VALID}`)[0] ?? '', /^\d+: expected YAML/);
  t.regex(problemsOf(`${VALID}log: !!js/function x\n`)[0] ?? '', /^10: expected YAML/);
});

test('an empty file, and one that is no group of keys, say what is missing', (t) => {
  t.true(problemsOf('').some((line) => line.endsWith('public_url: expected a text, found nothing')));
  t.deepEqual(problemsOf('hello'), ['1: expected a group of keys, found "hello"']);
  t.deepEqual(problemsOf('[1]'), ['1: expected a group of keys, found a list']);
});

test('a group that is all commented out counts as absent', (t) => {
  t.deepEqual(problemsOf(`${VALID}audit:\n  # enabled: false\nlimits:\n`), []);
});

test('settings that contradict one another are named', (t) => {
  const second = '  - {port: 8443, host: 192.0.2.1, tls: false}\nstore:';
  const cases: [string, string[]][] = [
    [VALID.replace('store:', second), ['6: ports.1.port: expected a port of its own, found 8443, which ports.0 has']],
    [`${VALID}local_port: 8443\n`, ['4: ports.0.port: expected a port of its own, found 8443, which local_port has']],
    [
      `${VALID}v1: {enabled: true}\n`,
      [
        "10: v1.client_key: expected the file of the original clients' public key, as v1.enabled is true, found nothing",
      ],
    ],
    [
      `${VALID}audit: {business: {time_zone: Europe/Nowhere}}\n`,
      ['10: audit.business.time_zone: expected a time zone such as Europe/Berlin or UTC, found "Europe/Nowhere"'],
    ],
    [
      `${VALID}audit: {business: {from: "17:00", to: "09:00"}}\n`,
      ['10: audit.business.to: expected a time after 17:00, found "09:00"'],
    ],
    [
      `${VALID}limits: {decompressed: 1000}\n`,
      ['10: limits.decompressed: expected at least limits.body, 4194304, found 1000'],
    ],
    [
      VALID.replace(/^store:.*$/m, 'store: {kind: mongo, hosts: ["mongodb://a:b@c"], password_file: x}'),
      [
        '6: store.hosts.0: expected a host or host:port, found "mongodb://…@c"',
        '6: store.user: expected a user beside password_file, found nothing',
      ],
    ],
  ];
  for (const [text, expected] of cases) t.deepEqual(problemsOf(text), expected, text);
});

test('two listeners may share a port on different addresses, and any number may take a free one', (t) => {
  const both = `
  - {port: 80, host: 192.0.2.1, tls: false}
  - {port: 80, host: 192.0.2.2, tls: false}
  - {port: 0, tls: false}
  - {port: 0, tls: false}
local_port: 0
store:`;
  t.deepEqual(problemsOf(VALID.replace(/\nstore:/, both)), []);
});

test('a file that is missing or a folder is said plainly, with what to do', async (t) => {
  const folder = await scratchFolder(t);
  const missing = await t.throwsAsync(loadServerSettings(join(folder, 'none.yml')), { instanceOf: SettingsError });
  t.regex(
    missing.message,
    /none\.yml: expected a file that can be read, found none there \(penguindome setup makes one\)$/,
  );
  t.true(missing instanceof OperatorError);
  await t.throwsAsync(loadServerSettings(folder), { message: /found a folder$/ });
});

test('settings can be written out again: durations in words, and the same when read', (t) => {
  const settings = parseServerSettings(VALID, '/etc/x/server.yml');
  const plain = plainSettings(settings);
  t.like(plain, { limits: { headers_timeout: '10s', json_depth: 64 }, agents: { collect_interval: '10m' } });
  t.deepEqual(parseServerSettings(JSON.stringify(plain), '/elsewhere/server.yml'), settings);
});

test('a problem of a file that may not be read names the permission', async (t) => {
  const folder = await scratchFolder(t);
  const file = join(folder, 'server.yml');
  await writeFile(file, VALID);
  await chmod(file, 0o000);
  // root may read everything: then it loads
  const outcome = await loadServerSettings(file).then(
    () => 'loaded',
    (error: unknown) => String(error),
  );
  t.regex(outcome, process.getuid?.() === 0 ? /^loaded$/ : /one that this user may not read/);
});
