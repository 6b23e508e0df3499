import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { loadAgentSettings } from '../../src/settings/agent-settings-file.ts';
import { SettingsError, type SettingsProblem } from '../../src/settings/settings-error.ts';

async function folder(t: ExecutionContext, files: Record<string, string>): Promise<[string, string]> {
  const dir = await mkdtemp(join(process.env['PENGUINDOME_TEST_SCRATCH'] ?? tmpdir(), 'agent-settings-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  await mkdir(join(dir, 'agent.d'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  return [join(dir, 'agent.yml'), join(dir, 'agent.d')];
}

async function problemsOf(t: ExecutionContext, files: Record<string, string>): Promise<readonly SettingsProblem[]> {
  const error = await t.throwsAsync(loadAgentSettings(...(await folder(t, files))), { instanceOf: SettingsError });
  return error.problems.map((problem) => ({ ...problem, file: problem.file.replace(/^.*\/(?=agent)/, '') }));
}

test('without any file the defaults hold', async (t) => {
  const settings = await loadAgentSettings(...(await folder(t, {})));
  t.is(settings.collect_interval, 600_000);
  t.is(settings.plugins.timeout, 3_600_000);
  t.is(settings.spool.max_size, 64 * 1024 * 1024);
  t.deepEqual(settings.collectors.disabled, []);
});

test('later files override earlier ones key by key, and lists whole', async (t) => {
  const settings = await loadAgentSettings(
    ...(await folder(t, {
      'agent.yml': 'url: https://a:1\ncollect_interval: 5m\ncollectors:\n  disabled: [sshd, firewall]\n',
      'agent.d/10-a.yml': 'collect_interval: 1h\nplugins:\n  at_once: 2\n',
      'agent.d/20-b.yml': 'collectors:\n  disabled: [os_info]\nplugins:\n  timeout: 30s\n',
      'agent.d/.hidden.yml': 'url: https://hidden:1\n',
      'agent.d/30-c.yml~': 'url: https://backup:1\n',
    })),
  );
  t.is(settings.url, 'https://a:1');
  t.is(settings.collect_interval, 3_600_000);
  t.deepEqual(settings.collectors.disabled, ['os_info']);
  t.deepEqual([settings.plugins.at_once, settings.plugins.timeout], [2, 30_000]);
});

test('a wrong value is told with the file and line that set it', async (t) => {
  t.deepEqual(
    await problemsOf(t, { 'agent.yml': 'collect_interval: 5m\n', 'agent.d/x.yml': '# why\ncollect_interval: often\n' }),
    [
      {
        file: 'agent.d/x.yml',
        line: 2,
        key: 'collect_interval',
        expected: 'a number above 0 and s, m, h or d, such as 10m',
        found: '"often"',
      },
    ],
  );
});

test('a key that nobody knows is told with those that are known there', async (t) => {
  t.deepEqual(await problemsOf(t, { 'agent.yml': 'url: https://a:1\nspool:\n  maxsize: 3M\n' }), [
    {
      file: 'agent.yml',
      line: 3,
      key: 'spool.maxsize',
      expected: 'a known key',
      found: 'an unknown one (known here: max_size)',
    },
  ]);
});

test('a list where a text belongs, and a URL with a path, are both told at once', async (t) => {
  const problems = await problemsOf(t, { 'agent.yml': 'hostname: [a]\nurl: https://a:1/penguindome\n' });
  t.deepEqual(problems.map(({ line, key, found }) => [line, key, found]).sort(), [
    [1, 'hostname', 'a list'],
    [2, 'url', '"https://a:1/penguindome"'],
  ]);
});

test('whom collectors ask is off where absent; a URL that would show a password, or send a key in the open, is refused', async (t) => {
  const none = await loadAgentSettings(...(await folder(t, {})));
  t.is(none.collectors.ip_addresses, undefined);
  t.is(none.collectors.geolocation, undefined);
  const text =
    'collectors:\n  ip_addresses:\n    url: https://address.example/ip\n  geolocation:\n    url: https://geo.example/v1/geolocate\n    key: /etc/penguindome/geolocation.key\n';
  const set = await loadAgentSettings(...(await folder(t, { 'agent.yml': text })));
  t.deepEqual(set.collectors, {
    disabled: [],
    enabled: [],
    ip_addresses: { url: 'https://address.example/ip' },
    geolocation: { url: 'https://geo.example/v1/geolocate', key: '/etc/penguindome/geolocation.key' },
  });
  const bad = [
    'ip_addresses: {url: "https://a:b@address.example/"}',
    'ip_addresses: {url: ftp://address.example/}',
    'ip_addresses: {}',
    'geolocation: {url: http://geo.example/, key: /x}',
    'geolocation: {url: http://localhost.example/, key: /x}',
    'geolocation: {url: https://geo.example/, key: AIzaSecret}',
    'geolocation: {url: https://geo.example/, secret: x}',
  ];
  for (const one of bad) t.is((await problemsOf(t, { 'agent.yml': `collectors: {${one}}\n` })).length, 1, one);
});

test('bad YAML and a file that is a list are told with their file', async (t) => {
  const [bad] = await problemsOf(t, { 'agent.d/x.yml': 'url: "https://a\n' });
  t.is(bad?.file, 'agent.d/x.yml');
  t.is(bad?.expected, 'YAML');
  t.deepEqual(await problemsOf(t, { 'agent.yml': '- url\n' }), [
    { file: 'agent.yml', line: 1, key: '', expected: 'a group of keys', found: 'a list' },
  ]);
});

test('a size or duration of zero is refused', async (t) => {
  const problems = await problemsOf(t, { 'agent.yml': 'spool: {max_size: 0M}\nsubmit_interval: 0s\n' });
  t.deepEqual(problems.map(({ key }) => key).sort(), ['spool.max_size', 'submit_interval']);
});
