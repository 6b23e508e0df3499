import test from 'ava';
import { hostsParametersList } from '../../src/admin/hosts-parameters-list.ts';
import { hostsParametersSet } from '../../src/admin/hosts-parameters-set.ts';
import { hostsParametersUnset } from '../../src/admin/hosts-parameters-unset.ts';
import { isMailAddress } from '../../src/core/mail-address.ts';
import { adminSite, NOW, refusal } from './admin-site.ts';

async function siteOf(t: Parameters<typeof adminSite>[0]) {
  const site = await adminSite(t);
  for (const hostname of ['Lap', 'desk', 'old']) {
    await site.store.hosts.storeV1({ hostname, at: NOW, plugins: { a: 1 }, trail: [] });
  }
  return site;
}

test('the address of a user is set, shown, changed and unset', async (t) => {
  const site = await siteOf(t);
  const set = (...args: string[]) => site.run(hostsParametersSet, 'lap', 'user_email', ...args);
  t.is((await site.run(hostsParametersList)).err, 'no parameters are set\n');
  t.is((await set('ada@example.org')).out, 'Lap: user_email is now ada@example.org\n');
  t.is((await set('ada@example.org')).out, 'Lap: user_email is ada@example.org already\n');
  t.is((await set('bob@example.org')).out, 'Lap: user_email is now bob@example.org (was ada@example.org)\n');
  t.is((await site.run(hostsParametersList)).out, 'HOST  PARAMETER   VALUE\nLap   user_email  bob@example.org\n');
  const unset = () => site.run(hostsParametersUnset, 'LAP', 'user_email');
  t.is((await unset()).out, 'Lap: user_email is no longer set (was bob@example.org)\n');
  t.is((await unset()).out, 'Lap: user_email was not set\n');
});

test('what is no single mail address is refused', async (t) => {
  const site = await siteOf(t);
  const set = (...args: string[]) => site.run(hostsParametersSet, 'lap', 'user_email', ...args);
  t.regex(await refusal(t, set('nonsense')), /cannot set user_email to "nonsense": expected a mail address/);
  t.regex(await refusal(t, set('a@b.example', 'c@d.example')), /expected one$/);
  t.deepEqual(await site.json(hostsParametersList), []);
});

test('hosts are linked by any spelling of their names, each with each', async (t) => {
  const site = await siteOf(t);
  t.is(
    (await site.run(hostsParametersSet, 'lap', 'user_clients', 'OLD', 'desk')).out,
    'Lap: user_clients is now desk, old\n',
  );
  t.deepEqual(await site.json(hostsParametersList, '--host', 'lap', 'old', '--parameter', 'user_clients'), [
    { hostname: 'Lap', parameter: 'user_clients', value: ['desk', 'old'] },
    { hostname: 'old', parameter: 'user_clients', value: ['Lap', 'desk'] },
  ]);
  t.like(await site.json(hostsParametersUnset, 'desk', 'user_clients'), { former: ['Lap', 'old'], changed: true });
});

test('a host is linked with none that is not known, nor with itself', async (t) => {
  const site = await siteOf(t);
  const link = (...args: string[]) => site.run(hostsParametersSet, 'lap', 'user_clients', ...args);
  t.regex(await refusal(t, link('desk', 'nobody')), /cannot find a host named nobody/);
  t.regex(await refusal(t, link('desk', 'lap')), /cannot link Lap with itself/);
  t.regex(
    await refusal(t, site.run(hostsParametersSet, 'nobody', 'user_clients', 'desk')),
    /cannot find a host named nobody/,
  );
  await t.throwsAsync(site.run(hostsParametersSet, 'lap', 'room', '7'), {
    message: /Allowed choices are user_clients/,
  });
  t.deepEqual(await site.json(hostsParametersList), []);
});

for (const [address, expected] of [
  ['ada@example.org', true],
  ["o'neil+tag@mail.example.co.uk", true],
  ['ada@localhost', true],
  ['ada', false],
  ['@example.org', false],
  ['ada@', false],
  ['ada@-x.example', false],
  ['ada@example..org', false],
  ['.ada@example.org', false],
  ['ada bob@example.org', false],
  ['ada@example.org,bob@example.org', false],
  ['Ada <ada@example.org>', false],
  ['ada@example.org\nBcc: bob@example.org', false],
  [`${'a'.repeat(65)}@example.org`, false],
  [`ada@${'a'.repeat(64)}.org`, false],
] as const) {
  test(`${JSON.stringify(address)} is ${expected ? 'an' : 'no'} address`, (t) =>
    t.is(isMailAddress(address), expected));
}
