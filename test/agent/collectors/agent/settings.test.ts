import test from 'ava';
import { agent } from '../../../../src/agent/collectors/agent/index.ts';
import { newMachine } from '../../support/machine.ts';
import { memory, thisHost } from '../host-in-folder.ts';

test('intervals and names are told as people write them, in order, each once', async (t) => {
  const tools = { ...memory({ disabled: ['session', 'packages', 'session'] }) };
  const intervals = { collect_interval: 5_400_000, submit_interval: 90_000 };
  t.like(await agent.collect(thisHost(t), { ...tools, intervals }), {
    settings: {
      collect_interval: '90m',
      submit_interval: '90s',
      collectors: { disabled: ['packages', 'session'], enabled: [] },
    },
  });
});

test('of the settings nothing else is told: no addresses, no files, no keys', async (t) => {
  const machine = await newMachine(t, { collectors: [agent] });
  await machine.settings(
    [
      'hostname: testhost\ncollect_interval: 20m\ncollectors:\n  enabled: [prey]\n  disabled: [geolocation]',
      '  geolocation: {url: "https://where.example/?token=s3cret", key: /etc/s3cret.key, ca: /etc/s3cret.pem}',
      '  ip_addresses: {url: "https://address.example/s3cret"}',
      'plugins:\n  settings: {backup: {place: s3cret}}\n',
    ].join('\n'),
  );
  const { out, err } = await machine.run('collect', '--show');
  t.regex(out, /"collect_interval": "20m"/, err);
  t.regex(out, /"submit_interval": "1m"/);
  t.regex(out, /"disabled": \[\s+"geolocation"/);
  t.regex(out, /"enabled": \[\s+"prey"/);
  t.notRegex(out, /s3cret|example/);
});
