import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { COLLECTORS } from '../../src/agent/collectors/index.ts';
import { scratchFolder } from '../support/scratch.ts';
import { newMachine } from './support/machine.ts';
import { webService } from './support/web-service.ts';

const geolocation = COLLECTORS.filter(({ name }) => name === 'geolocation');

test('what geolocation means is said when it is switched on, once, and again after it was off', async (t) => {
  const service = await webService(t);
  service.answer = (_, response) => response.end('{"location": {"lat": 1, "lng": 2}, "accuracy": 3}');
  const key = join(await scratchFolder(t), 'key');
  await writeFile(key, 's3cret', { mode: 0o600 });
  const on = `collectors:\n  geolocation:\n    url: ${service.origin}/\n    key: ${key}\n`;
  const machine = await newMachine(t, { collectors: geolocation });
  const says = async (settings: string) => {
    await machine.settings(settings);
    const { status, out, err } = await machine.run('collect');
    t.is(status, 0, err);
    t.false(`${out}${err}`.includes('s3cret'));
    return /geolocation is on: this machine now finds out where it is/.test(err);
  };
  t.false(await says('hostname: testhost\n'));
  t.is(service.asked.length, 0);
  t.true(await says(on));
  t.is(service.asked.length, 1);
  t.false(await says(on));
  t.false(await says('hostname: testhost\n'));
  t.true(await says(on));
  t.false(await says(`${on}  disabled: [geolocation]\n`));
});

test('run by hand, it says so each time; the key is never shown', async (t) => {
  const service = await webService(t);
  service.answer = (_, response) => response.writeHead(500).end();
  const key = join(await scratchFolder(t), 'key');
  await writeFile(key, 's3cret', { mode: 0o600 });
  const machine = await newMachine(t, { collectors: geolocation });
  await machine.settings(`collectors:\n  geolocation:\n    url: ${service.origin}/\n    key: ${key}\n`);
  const { out, err } = await machine.run('collectors', 'run', 'geolocation');
  t.is(JSON.parse(out), 'unknown');
  t.regex(err, /go to 127\.0\.0\.1:\d+/);
  t.false(`${out}${err}`.includes('s3cret'));
});
