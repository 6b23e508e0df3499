import { join } from 'node:path';
import test from 'ava';
import { openAudit } from '../../src/audit/open-audit.ts';
import { HIDDEN_BY, type Profile } from '../../src/core/audit.ts';
import { OperatorError } from '../../src/core/errors.ts';
import { serverSettings } from '../../src/settings/server-settings.ts';
import { temporaryStore } from '../support/stores.ts';
import { realClock } from '../support/world.ts';
import { folderOf } from './scratch.ts';

const EVERYTHING = { ignore: HIDDEN_BY };

const settings = (audit: object, checks: string[] = []) =>
  serverSettings.parse({
    public_url: 'https://dome.example',
    ports: [{ port: 8443, tls: false }],
    ...{ store: { kind: 'embedded', file: '/none' }, state: '/none', pki: '/none', keys: '/none' },
    audit,
    checks,
  });

test("the settings' folders come after the product's, and can switch its checks off", async (t) => {
  const own = await folderOf(t, { 'f.yaml': 'name: firewall-disabled\ntitle: X\nquery: { a: 1 }\nenabled: false\n' });
  const store = await temporaryStore(t);
  const audit = await openAudit({
    settings: settings({}, [own, join(own, 'none')]),
    productChecks: 'checks.d',
    store: async () => store,
    clock: realClock,
    signal: new AbortController().signal,
  });
  await store.hosts.storeV1({
    hostname: 'laptop',
    at: new Date(),
    plugins: { firewall: { status: 'off' } },
    trail: [],
  });
  const { problems, issues, opened } = await audit.run(EVERYTHING);
  t.deepEqual(
    opened.map(({ name }) => name),
    ['guest-session-enabled', 'os-security-patches-available', 'os-update-available', 'unencrypted-hard-drive'],
  );
  t.is(problems.length, 1);
  t.regex(problems[0] ?? '', /none: cannot read the folder of checks/);
  t.deepEqual(issues, await audit.open());
});

test('a profile that is chosen closes the issues of checks that are for others, and one that is left opens them again', async (t) => {
  const own = await folderOf(t, { 'f.yaml': 'overrides: firewall-disabled\nprofiles: [server]\n' });
  const store = await temporaryStore(t);
  const run = async (profile?: Profile) => {
    const audit = await openAudit({
      settings: { ...settings({}, [own]), ...(profile !== undefined && { checks_profile: profile }) },
      productChecks: 'checks.d',
      store: async () => store,
      clock: realClock,
      signal: new AbortController().signal,
    });
    const { opened, closed, problems } = await audit.run(EVERYTHING);
    t.deepEqual(problems, []);
    return [opened, closed].map((list) => list.some(({ name }) => name === 'firewall-disabled'));
  };
  await store.hosts.storeV1({ hostname: 'desk', at: new Date(), plugins: { firewall: { status: 'off' } }, trail: [] });
  t.deepEqual(await run(), [true, false]);
  t.deepEqual(await run('laptop'), [false, true]);
  t.deepEqual(await run('server'), [true, false]);
});

for (const [title, business, message] of [
  [
    'a day that ends before it begins',
    { from: '17:00', to: '09:00' },
    /audit\.business.*expected the business day to end after 17:00, got 09:00/,
  ],
  ['no day at all', { days: [] }, /audit\.business.*at least one business day/],
  ['a time zone that nobody knows', { time_zone: 'Mars/Olympus' }, /audit\.business.*time zone/],
] satisfies [string, object, RegExp][]) {
  test(`a calendar with ${title} is refused before anything is opened`, async (t) => {
    await t.throwsAsync(
      openAudit({
        settings: settings({ business }),
        productChecks: 'checks.d',
        store: () => Promise.reject(new Error('the store was opened')),
        clock: realClock,
        signal: new AbortController().signal,
      }),
      { instanceOf: OperatorError, message },
    );
  });
}

test('the certificates of all ports are looked at, the further ones of a port too', async (t) => {
  const folder = await folderOf(t, { 'bad.pem': 'x' });
  const files = (name: string) => ({ certificate: join(folder, name), key: join(folder, name) });
  const store = await temporaryStore(t);
  const tls = { ...files('first.pem'), also: [files('second.pem'), files('bad.pem')] };
  const audit = await openAudit({
    settings: { ...settings({}), ports: [{ port: 8443, tls, deprecated: false }] },
    productChecks: 'checks.d',
    store: async () => store,
    clock: realClock,
    signal: new AbortController().signal,
  });
  const { problems } = await audit.run(EVERYTHING);
  t.deepEqual(
    problems.map((problem) => /^cannot tell when the certificate of port 8443 ends: .*\/(\w+)\.pem/.exec(problem)?.[1]),
    ['first', 'second', 'bad'],
  );
});

test('holidays of a file hold grace periods and silence up, and what is wrong with it is named', async (t) => {
  const folder = await folderOf(t, {
    'h.ics':
      'BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20260303\nEND:VEVENT\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR\n',
    'c.yaml': 'name: x\ntitle: X\nquery: { plugins.x: 1 }\ngrace_period: 1d\n',
  });
  const store = await temporaryStore(t);
  const monday = new Date('2026-03-02T10:00:00Z');
  await store.hosts.storeV1({ hostname: 'laptop', at: monday, plugins: { x: 1 }, trail: [] });
  const audit = (at: Date) =>
    openAudit({
      settings: settings({ business: { holiday_files: [join(folder, 'h.ics')] } }),
      productChecks: folder,
      store: async () => store,
      clock: { now: () => at },
      signal: new AbortController().signal,
    });
  const { issues, problems } = await (await audit(monday)).run(EVERYTHING);
  t.deepEqual(
    issues.map(({ due_at }) => due_at),
    [new Date('2026-03-04T10:00:00Z')],
  );
  t.is(problems.length, 1);
  t.regex(problems[0] ?? '', /h\.ics:5: expected DTSTART in the event/);
  const wednesday = new Date('2026-03-04T10:00:00Z');
  t.is((await (await audit(wednesday)).run(EVERYTHING)).opened.length, 0, 'no business day has passed');
});
