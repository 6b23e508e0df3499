import { randomUUID } from 'node:crypto';
import { chmod, lstat, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parse } from 'yaml';
import type { Random } from '../../src/core/world.ts';
import { editSettings } from '../../src/settings/edit-settings.ts';
import { scratchFolder } from '../support/scratch.ts';

const TEXT = `# Settings of a test.
public_url: https://penguins.example:8443 # what agents connect to

ports:
  # the first
  - port: 8443
    tls: false
  - port: 80
    tls: false
    # deprecated: true

store: { kind: embedded, file: store.db }
state: state
pki: pki
keys: keys
log:
  # level: info
agents:
  collect_interval: "10m" # often
`;

const random: Random = { uuid: randomUUID, bytes: (count) => new Uint8Array(count) };

async function prepare(t: ExecutionContext, text = TEXT) {
  const folder = await scratchFolder(t);
  const file = join(folder, 'server.yml');
  await writeFile(file, text);
  const signal = new AbortController().signal;
  const set = (path: string, value: string | undefined) => editSettings({ random, signal }, file, [{ path, value }]);
  return { folder, file, set, read: () => readFile(file, 'utf8') };
}

test('a value is changed in its place, comments and order stay', async (t) => {
  const { set, read } = await prepare(t);
  t.true(await set('ports.1.port', '8080'));
  t.true(await set('agents.collect_interval', '30m'));
  t.is(await read(), TEXT.replace('port: 80\n', 'port: 8080\n').replace('"10m"', '30m'));
});

test('a new key goes to the end of its group, also of one whose keys are all commented out', async (t) => {
  const { set, read } = await prepare(t);
  t.true(await set('ports.1.deprecated', 'true'));
  t.true(await set('log.level', 'warn'));
  t.true(await set('audit.business.time_zone', 'Europe/Berlin'));
  t.true(await set('store.file', '"a, b.db"'));
  t.is(
    await read(),
    `${TEXT.replace('port: 80\n    tls: false\n', 'port: 80\n    tls: false\n    deprecated: true\n')
      .replace('log:\n', 'log:\n  level: warn\n')
      .replace('{ kind: embedded, file: store.db }', '{kind: embedded, file: "a, b.db"}')}audit:
  business:
    time_zone: Europe/Berlin
`,
  );
});

test('a list is set whole, a member is appended, a key is taken out, and all else stays', async (t) => {
  const { set, read } = await prepare(t);
  await set('checks', '[a, b]');
  t.is(await read(), `${TEXT}checks:\n  - a\n  - b\n`);
  await set('checks.2', 'c');
  t.is(await read(), `${TEXT}checks:\n  - a\n  - b\n  - c\n`);
  await set('checks.0', undefined);
  t.is(await read(), `${TEXT}checks:\n  - b\n  - c\n`);
  await set('checks', undefined);
  t.is(await read(), TEXT);
  t.false(await set('checks', undefined), 'it is gone already');
  await set('ports.2', '{port: 81, tls: false}');
  t.is(
    await read(),
    TEXT.replace('# deprecated: true\n', '# deprecated: true\n').replace(
      'port: 80\n    tls: false\n',
      'port: 80\n    tls: false\n  - port: 81\n    tls: false\n',
    ),
  );
  await set('ports.2', undefined);
  await set('ports.0.port', undefined).catch(() => {});
  t.is(await read(), TEXT);
  await set('agents.collect_interval', undefined);
  t.is(await read(), TEXT.replace(/ {2}collect_interval.*\n/, ''));
  await set('agents.submit_interval', '2m');
  t.is(await read(), TEXT.replace(/ {2}collect_interval.*\n/, '  submit_interval: 2m\n'));
});

test('an unusual layout is written anew, and says the same', async (t) => {
  const { set, read } = await prepare(
    t,
    TEXT.replace('state: state', '? state\n: state').replace('pki: pki', 'pki: |-\n  pki'),
  );
  await set('pki', 'elsewhere');
  await set('state', 'there');
  await set('ports.0', '{tls: false, port: 8444}');
  const text = await read();
  t.like(parse(text), { pki: 'elsewhere', state: 'there', ports: [{ port: 8444 }, { port: 80 }], keys: 'keys' });
  t.true(text.includes('# what agents connect to'));
});

test('the schema has its say before the file is replaced', async (t) => {
  const { set, read } = await prepare(t);
  await t.throwsAsync(set('ports.0.port', 'many'), {
    message:
      /^cannot change \S+server\.yml, and left it as it was; it would read:\n.*:6: ports\.0\.port: expected a number, found "many"/,
  });
  await t.throwsAsync(set('ports.0.prot', '1'), { message: /did you mean port\?/ });
  await t.throwsAsync(set('ports.1.port', '8443'), { message: /expected a port of its own/ });
  await t.throwsAsync(set('public_url', undefined), { message: /public_url: expected a text, found nothing/ });
  await t.throwsAsync(set('ports.7.port', '1'), { message: 'cannot find ports.7.port: ports is a list of 2' });
  await t.throwsAsync(set('log..level', 'x'), { message: 'cannot read "log..level" as a dotted path' });
  await t.throwsAsync(set('log.level', '[x'), { message: /cannot read the value for log\.level as YAML/ });
  t.is(await read(), TEXT);
});

test('settings that are wrong can be put right', async (t) => {
  const { set, read } = await prepare(t, TEXT.replace('port: 80\n', 'port: eighty\n'));
  t.true(await set('ports.1.port', '80'));
  t.is(await read(), TEXT);
});

test('what is already so changes nothing, not even the file', async (t) => {
  const { set, file, read } = await prepare(t, TEXT.replace('store: {', 'store:    {'));
  const before = [await read(), (await stat(file)).ino];
  t.false(await set('ports.1.port', '80'));
  t.false(await set('store', '{kind: embedded, file: store.db}'));
  t.deepEqual([await read(), (await stat(file)).ino], before);
});

test('mode stays, a link stays a link, and nothing is left behind', async (t) => {
  const { folder, file, read } = await prepare(t);
  await chmod(file, 0o640);
  const link = join(folder, 'link.yml');
  await symlink('server.yml', link);
  const signal = new AbortController().signal;
  t.true(await editSettings({ random, signal }, link, [{ path: 'local_port', value: '5001' }]));
  t.true((await lstat(link)).isSymbolicLink());
  t.is((await stat(file)).mode & 0o777, 0o640);
  t.true((await read()).includes('local_port: 5001'));
  t.deepEqual((await readdir(folder)).sort(), ['link.yml', 'server.yml']);
});

test('of many who change it at once nobody loses the change of another', async (t) => {
  const { set, read, folder } = await prepare(t);
  const keys = ['body', 'decompressed', 'headers', 'connections', 'json_keys', 'document'];
  const wanted = (index: number) => 8_000_000 + index;
  await Promise.all(keys.map((key, index) => set(`limits.${key}`, String(wanted(index)))));
  t.deepEqual(parse(await read()).limits, Object.fromEntries(keys.map((key, index) => [key, wanted(index)])));
  t.deepEqual(await readdir(folder), ['server.yml']);
});

test('the lock of a process that died is taken over, and what it left is removed', async (t) => {
  const { set, file, read, folder } = await prepare(t);
  await writeFile(`${file}.lock`, '4194300\n');
  await writeFile(`${file}.lock.4194300.${randomUUID()}`, '');
  t.true(await set('local_port', '5001'));
  t.true((await read()).includes('5001'));
  t.deepEqual(await readdir(folder), ['server.yml']);
});

test('the lock of a living process is waited for, until we are told to stop', async (t) => {
  const { file, read } = await prepare(t);
  await writeFile(`${file}.lock`, `${process.pid}\n`);
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 200);
  await t.throwsAsync(editSettings({ random, signal: controller.signal }, file, [{ path: 'local_port', value: '1' }]), {
    name: 'AbortError',
  });
  t.is(await read(), TEXT);
});

test('edits that depend on the settings are asked for under the lock: none of many who do so loses its change', async (t) => {
  const { file, read } = await prepare(t);
  const { signal } = new AbortController();
  const numbers = [9001, 9002, 9003, 9004];
  await Promise.all(
    numbers.map((port) =>
      editSettings({ random, signal }, file, async ({ ports }) => [
        { path: `ports.${ports.length}`, value: `{port: ${port}, tls: false}` },
      ]),
    ),
  );
  const { ports } = parse(await read());
  t.deepEqual(ports.map(({ port }: { port: number }) => port).sort(), [80, 8443, ...numbers]);
});

test('a path in steps may have dots in a key', async (t) => {
  const { file, read } = await prepare(t);
  const { signal } = new AbortController();
  const edit = (path: string[]) => editSettings({ random, signal }, file, [{ path, value: '1' }]);
  await t.throwsAsync(edit(['log.level']), { message: /log\.level: expected a known key/ });
  await t.throwsAsync(edit([]), { message: 'cannot read "" as a dotted path' });
  t.is(await read(), TEXT);
});
