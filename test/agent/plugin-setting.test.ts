import test from 'ava';
import * as v from 'valibot';
import { settingAt } from '../../src/agent/plugin-setting.ts';
import { agentSettings } from '../../src/settings/agent-settings.ts';

const settings = v.parse(agentSettings, {
  collect_interval: '4h',
  plugins: {
    settings: {
      mine: { days: 7, url: 'https://x', api_key: 'k', deep: { list: [1, { token: 't', kept: true }], password: 'p' } },
      camel: {
        apiKey: 'k',
        apikey: 'k',
        API_KEY: 'k',
        passwd: 'p',
        dbPasswd: 'p',
        accessToken: 't',
        tokens: ['t'],
        sshKeys: 'k',
        pwd: 'p',
      },
      words: { monkey: 1, keyboard: 2, tokenise: 3, bypass: 4, passes: 5, keep: 6 },
      other: { days: 9 },
    },
  },
});

const CASES: [path: string, plugin: string | undefined, told: unknown][] = [
  ['collect_interval', 'mine', 14_400_000],
  ['plugins.at_once', 'mine', 4],
  ['plugins.disabled', undefined, []],
  ['.days', 'mine', 7],
  ['.days', 'other', 9],
  ['.deep', 'mine', { list: [1, { kept: true }] }],
  ['.deep.list', 'mine', [1, { kept: true }]],
  ['.api_key', 'mine', undefined],
  ['.deep.password', 'mine', undefined],
  ['', 'camel', undefined],
  ['.', 'camel', undefined],
  ['.apiKey', 'camel', undefined],
  ['.apikey', 'camel', undefined],
  ['.API_KEY', 'camel', undefined],
  ['.passwd', 'camel', undefined],
  ['.dbPasswd', 'camel', undefined],
  ['.accessToken', 'camel', undefined],
  ['.tokens', 'camel', undefined],
  ['.sshKeys', 'camel', undefined],
  ['.pwd', 'camel', undefined],
  ['.monkey', 'words', 1],
  ['.keyboard', 'words', 2],
  ['.tokenise', 'words', 3],
  ['.bypass', 'words', 4],
  ['.passes', 'words', 5],
  ['.keep', 'words', 6],
  ['.missing', 'mine', undefined],
  ['.days', undefined, undefined],
  ['.days', 'third', undefined],
  ['plugins.settings', 'mine', undefined],
  ['plugins.settings.other.days', 'mine', undefined],
  ['plugins.settings.mine.days', 'mine', undefined],
  ['', 'mine', undefined],
  ['..', 'mine', undefined],
  ['constructor', 'mine', undefined],
  ['.__proto__', 'mine', undefined],
  ['.days', '__proto__', undefined],
  ['collect_interval.length', 'mine', undefined],
];

for (const [path, plugin, told] of CASES) {
  test(`a plugin called ${plugin} is told ${JSON.stringify(told)} of the setting "${path}"`, (t) => {
    t.deepEqual(settingAt(settings, path, plugin), told);
  });
}

test('all that a plugin may see of its own and of the settings holds no secret', (t) => {
  t.notRegex(JSON.stringify([settingAt(settings, 'plugins', 'mine'), settingAt(settings, '.deep', 'mine')]), /"[ptk]"/);
});
