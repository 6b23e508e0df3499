import { execFile } from 'node:child_process';
import { access, chown, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { COLLECTORS } from '../../src/agent/collectors/index.ts';
import { whenPresent } from '../support/needs.ts';
import { scratchFolder } from '../support/scratch.ts';
import { type Machine, newMachine } from './support/machine.ts';
import { type WebService, webService } from './support/web-service.ts';

const run = promisify(execFile);
const asRoot = whenPresent(process.getuid?.() === 0, 'a folder of another user needs root');

const NAMES = ['geolocation', 'ip_addresses', 'os_info'];
const PLACE = { location: { lat: 1, lng: 2 }, accuracy: 3 };
/** Of whoever asks outside, in these tests. */
const NOBODY = 65534;

interface Scene {
  machine: Machine;
  service: WebService;
  /** settings that name the service for both */
  on: string;
  /** what a collector reports */
  told(name: string): Promise<unknown>;
  /** what was left of a fact */
  left(name: string): Promise<{ tried_at: string; answer?: { at: string; value: unknown } }>;
}

async function scene(t: ExecutionContext): Promise<Scene> {
  const service = await webService(t);
  service.answer = ({ method }, response) => response.end(method === 'POST' ? JSON.stringify(PLACE) : '192.0.2.7');
  const key = join(await scratchFolder(t), 'key');
  await writeFile(key, 's3cret', { mode: 0o600 });
  const machine = await newMachine(t, { collectors: COLLECTORS.filter(({ name }) => NAMES.includes(name)) });
  return {
    machine,
    service,
    on: `collectors:\n  geolocation:\n    url: ${service.origin}/\n    key: ${key}\n  ip_addresses:\n    url: ${service.origin}/\n`,
    told: async (name) => JSON.parse((await machine.run('collectors', 'run', name)).out),
    left: async (name) => JSON.parse(await readFile(join(machine.places.online.root, `${name}.json`), 'utf8')),
  };
}

/** As packages lay it out: another user asks. */
async function askedByAnother({ machine }: Scene): Promise<void> {
  await mkdir(machine.places.online.root, { recursive: true, mode: 0o750 });
  await chown(machine.places.online.root, NOBODY, NOBODY);
}

const done = async (t: ExecutionContext, { machine }: Scene, ...args: string[]) => {
  const said = await machine.run(...args);
  t.is(said.status, 0, said.err);
  t.false(`${said.out}${said.err}`.includes('s3cret'));
  return said;
};

/** What lies there is then of that user's making. */
async function asThatUser<T>({ machine }: Scene, work: () => Promise<T>): Promise<T> {
  await run('chown', ['-R', '0:0', machine.places.online.root]);
  try {
    return await work();
  } finally {
    await run('chown', ['-R', `${NOBODY}:${NOBODY}`, machine.places.online.root]);
  }
}

test('with a user of its own for all of it, collect asks by itself, and nothing is left', async (t) => {
  const it = await scene(t);
  await it.machine.settings(it.on);
  await done(t, it, 'collect');
  t.true(it.service.asked.length > 0);
  t.like(await it.told('ip_addresses'), { public_ipv4: '192.0.2.7' });
  t.deepEqual(await it.told('geolocation'), PLACE);
  await t.throwsAsync(access(it.machine.places.online.root));
  await t.throwsAsync(access(it.machine.places.asks));
});

asRoot('where another user asks, root asks nobody, says what it wants, and takes what that user left', async (t) => {
  const it = await scene(t);
  await it.machine.settings(it.on);
  await askedByAnother(it);
  await done(t, it, 'collect');
  t.deepEqual(it.service.asked, []);
  t.deepEqual(JSON.parse(await readFile(it.machine.places.asks, 'utf8')), { asks: ['geolocation', 'ip_addresses'] });
  t.like(await it.told('ip_addresses'), { public_ipv4: 'unknown', public_ipv6: 'unknown' });
  t.regex(JSON.stringify(await it.told('ip_addresses')), /nobody has asked outside yet/);
  t.regex(JSON.stringify(await it.told('geolocation')), /nobody has asked outside yet/);

  const said = await asThatUser(it, () => done(t, it, 'collect-online'));
  t.regex(said.out, /asked for ip_addresses, geolocation/);
  const count = it.service.asked.length;
  t.deepEqual(await it.told('geolocation'), PLACE);
  t.deepEqual(await it.told('ip_addresses'), (await it.left('ip_addresses')).answer?.value);
  t.like(await it.told('ip_addresses'), { public_ipv4: '192.0.2.7' });
  await done(t, it, 'collect');
  t.is(it.service.asked.length, count);
  t.is((await stat(join(it.machine.places.online.root, 'geolocation.json'))).mode & 0o777, 0o640);
});

asRoot('root asks nobody in the place of that user, whose folder may lead anywhere', async (t) => {
  const it = await scene(t);
  await it.machine.settings(it.on);
  await askedByAnother(it);
  const { status, err } = await it.machine.run('collect-online');
  t.is(status, 2);
  t.regex(err, /another user's, who does that; run systemctl start penguindome-collect-online/);
  t.deepEqual(it.service.asked, []);
});

asRoot(
  'what that user may not claim is not told: no place that is none, no address of another kind, no other fact',
  async (t) => {
    const it = await scene(t);
    await it.machine.settings(it.on);
    await askedByAnother(it);
    const at = new Date(Date.now() - 1000).toISOString();
    const claim = async (name: string, value: unknown) =>
      writeFile(
        join(it.machine.places.online.root, `${name}.json`),
        JSON.stringify({ tried_at: at, answer: { at, value } }),
      );
    await claim('ip_addresses', { public_ipv4: '; reboot', public_ipv6: '192.0.2.7', extra: { os_info: 'Windows' } });
    t.deepEqual(await it.told('ip_addresses'), { public_ipv4: 'unknown', public_ipv6: 'unknown' });
    await claim('ip_addresses', ['192.0.2.7']);
    t.regex(JSON.stringify(await it.told('ip_addresses')), /no pair of addresses/);
    await claim('geolocation', { location: { lat: 500, lng: 0 }, accuracy: 1 });
    t.regex(JSON.stringify(await it.told('geolocation')), /no place/);
    await claim('geolocation', { ...PLACE, note: 'x', location: { ...PLACE.location, altitude: 1 } });
    t.deepEqual(await it.told('geolocation'), PLACE);
    await claim('os_info', { distname: 'Windows', version: '3.1' });
    t.notRegex(JSON.stringify(await it.told('os_info')), /Windows/);
    await rm(join(it.machine.places.online.root, 'geolocation.json'));
    await symlink('/etc/shadow', join(it.machine.places.online.root, 'geolocation.json'));
    t.regex(JSON.stringify(await it.told('geolocation')), /symbolic link/);
  },
);

asRoot(
  'what is switched off, or not wanted by the collector, is not asked, and what was left of it is gone',
  async (t) => {
    const it = await scene(t);
    await it.machine.settings(it.on);
    await askedByAnother(it);
    await asThatUser(it, () => done(t, it, 'collect-online'));
    t.deepEqual(it.service.asked, [], 'the collector has said nothing yet');
    await done(t, it, 'collect');
    await asThatUser(it, () => done(t, it, 'collect-online'));
    const count = it.service.asked.length;
    t.true(count > 0);

    await it.machine.settings(`${it.on}  disabled: [geolocation]\n`);
    await done(t, it, 'collect');
    await asThatUser(it, () => done(t, it, 'collect-online', '--now'));
    await t.throwsAsync(it.left('geolocation'));
    t.like(await it.told('ip_addresses'), { public_ipv4: '192.0.2.7' });

    // An order switches it off: only root may read that.
    await it.machine.settings(it.on);
    await writeFile(it.machine.places.asks, '{"asks": []}\n');
    await asThatUser(it, () => done(t, it, 'collect-online', '--now'));
    t.is(it.service.asked.length, count);
    await t.throwsAsync(it.left('ip_addresses'));
  },
);

test('it asks again when it is time, or when it is told to; a clock that was ahead does not keep it from that', async (t) => {
  const it = await scene(t);
  await it.machine.settings(it.on);
  await mkdir(it.machine.state, { recursive: true });
  await writeFile(it.machine.places.asks, '{"asks": ["ip_addresses"]}');
  const asked = async (...args: string[]) => (await done(t, it, '--json', 'collect-online', ...args)).json()['asked'];
  t.deepEqual(await asked(), [{ name: 'ip_addresses' }]);
  t.deepEqual(await asked(), []);
  t.deepEqual(await asked('--now'), [{ name: 'ip_addresses' }]);
  const ahead = new Date(Date.now() + 86_400_000).toISOString();
  await writeFile(
    join(it.machine.places.online.root, 'ip_addresses.json'),
    JSON.stringify({ tried_at: ahead, answer: { at: ahead, value: {} } }),
  );
  t.deepEqual(await asked(), [{ name: 'ip_addresses' }]);
});

test('a place without a key is told as failed, with what to do', async (t) => {
  const it = await scene(t);
  await it.machine.settings(`collectors:\n  geolocation:\n    url: ${it.service.origin}/\n`);
  await mkdir(it.machine.state, { recursive: true });
  await writeFile(it.machine.places.asks, '{"asks": ["geolocation"]}');
  const { err } = await done(t, it, 'collect-online');
  t.regex(err, /geolocation: cannot ask without a key/);
  t.like(await it.left('geolocation'), { failure: (/geolocation: (.*)/.exec(err) ?? [])[1] });
});

test('whether it is time a unit is told without starting the agent', async (t) => {
  const it = await scene(t);
  const isDue = () =>
    run(resolve('packaging/penguindome-tick'), ['--state', it.machine.state, '--is-due', 'collect-online'], {
      env: {},
    }).then(
      () => true,
      () => false,
    );
  await it.machine.settings('collectors:\n  ip_addresses:\n    url: http://127.0.0.1:9/\n');
  const past = new Date(Date.now() - 60_000);
  await run('sh', [
    '-c',
    'find "$1" -exec touch -d "$2" {} +',
    'sh',
    join(it.machine.state, 'etc'),
    past.toISOString(),
  ]);
  t.true(await isDue(), 'nobody has ever asked');
  await done(t, it, 'collect-online');
  t.false(await isDue(), 'nothing is wanted');
  await new Promise((resolve) => setTimeout(resolve, 20));
  await writeFile(it.machine.places.asks, '{"asks": ["ip_addresses"]}\n');
  t.true(await isDue(), 'the collector wants something now');
  await run('touch', ['-d', past.toISOString(), it.machine.places.asks]);
  await done(t, it, 'collect-online');
  t.false(await isDue(), 'it was asked just now');
  const { due } = it.machine.places.online;
  const [boot, written] = (await readFile(due, 'utf8')).split(' ');
  await writeFile(due, `${boot} ${written} ${written} ${written}\n`);
  t.true(await isDue(), 'it is time');
});
