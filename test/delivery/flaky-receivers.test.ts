import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { openDelivery } from '../../src/delivery/open-delivery.ts';
import { serverSettings } from '../../src/settings/server-settings.ts';
import { ALERTED_AT, someAlerts } from '../support/alerts.ts';
import { testPki } from '../support/certificates.ts';
import { httpReceiver } from '../support/http-receiver.ts';
import { scratchFolder } from '../support/scratch.ts';
import { type Behaviour, smtpReceiver } from '../support/smtp-receiver.ts';
import { forEachStore, type Place } from '../support/stores.ts';
import { realRandom, standingClock } from '../support/world.ts';

const BAD: Behaviour[] = ['later', 'cut', 'late', 'never', 'hang'];

/** Every third message or so fails, each time in another way, and not in step with what is sent. */
function nowAndThen(start: number): () => Behaviour {
  let count = start;
  return () => {
    count += 1;
    return count % 3 === 0 || count % 7 === 0 ? (BAD[Math.floor(count / 3) % BAD.length] ?? 'cut') : 'take';
  };
}

async function flakySite(t: ExecutionContext, place: Place) {
  const folder = await scratchFolder(t);
  const pki = await testPki(join(folder, 'pki'));
  const tls = await pki.issue();
  const ca = join(folder, 'ca.crt');
  await writeFile(ca, pki.authority.certificate);
  for (const name of ['password', 'secret'])
    await writeFile(join(folder, name), `${name}-0123456789\n`, { mode: 0o600 });
  const [mail, hook, slack] = [
    await smtpReceiver(t, { tls, auth: { user: 'dome', password: 'password-0123456789' } }),
    await httpReceiver(t, { tls }),
    await httpReceiver(t),
  ];
  for (const [index, receiver] of [mail, hook, slack].entries()) receiver.behave(nowAndThen(index));
  const local = { allow_addresses: ['127.0.0.1'], ca };
  const settings = serverSettings.parse({
    ...{ public_url: 'https://dome.example:8443', ports: [{ port: 8443, tls: false }] },
    ...{ store: place.settings, state: 's', pki: 'p', keys: 'k' },
    delivery: {
      timeout: '1s',
      give_up_after: '100d',
      mail: { to: ['a@example.org', 'b@example.org'] },
      smtp: {
        ...{ host: '127.0.0.1', port: mail.port, ca, from: 'dome@example.org' },
        ...{ user: 'dome', password_file: join(folder, 'password') },
      },
      webhooks: [
        { name: 'ops', url: hook.url, secret_file: join(folder, 'secret'), ...local },
        { name: 'chat', format: 'slack', url: slack.url, allow_plaintext: true, ...local },
      ],
    },
  });
  const clock = standingClock(ALERTED_AT);
  const log = { event: () => {} };
  const open = async () => {
    const store = await place.open({ clock });
    const world = { clock, random: realRandom, log, signal: new AbortController().signal, version: '0.0.0' };
    const rest = { settings, credentials: undefined, journal: undefined };
    return { store, delivery: await openDelivery({ ...rest, ...world, store: async () => store }) };
  };
  return { mail, hook, slack, clock, open };
}

forEachStore((kind, test, prepare) => {
  // The others differ in nothing that matters here, and test/contract/outbox.test.ts has what does.
  if (kind !== 'embedded' && kind !== 'mongo replica set') return;

  test(`${kind}: receivers that fail now and then get every alert, once by its key, with two runs at work`, async (t) => {
    const { mail, hook, slack, clock, open } = await flakySite(t, await prepare(t));
    const [one, other] = [await open(), await open()];
    const alerts = someAlerts(24);
    await Promise.all([one, other].map(({ delivery }) => delivery.queue(alerts, { at: clock.now(), email: false })));
    const waits = async () => {
      for await (const _ of one.store.outbox.list({ delivered: false })) return true;
      return false;
    };
    for (let round = 0; (await waits()) && round < 60; round++) {
      await Promise.all([one, other].map(({ delivery }) => delivery.send()));
      clock.set(new Date(clock.now().getTime() + 4 * 3_600_000));
      await one.store.outbox.revive(undefined, clock.now());
    }
    t.false(await waits());

    const hosts = alerts.map(({ hostname }) => hostname).sort();
    const byKey = new Map(hook.posts.map(({ headers, body }) => [headers['idempotency-key'], JSON.parse(body).host]));
    t.deepEqual([...byKey.values()].sort(), hosts, 'each key is one alert, and each alert one key');
    t.true(hook.tried() > 24, 'it did fail');
    const told = (text: string) => hosts.filter((host) => new RegExp(`\\b${host}\\b`).test(text));
    for (const address of ['a@example.org', 'b@example.org']) {
      const mine = mail.mails.filter(({ to }) => to.includes(address));
      const once = [...new Map(mine.map((each) => [each.messageId, told(each.raw)])).values()];
      t.deepEqual(once.flat().sort(), hosts, 'each in one mail by its id');
    }
    t.true(mail.mails.every(({ secure, user }) => secure && user === 'dome'));
    const posted = new Map(
      slack.posts.map(({ headers, body }) => [headers['idempotency-key'], told(JSON.parse(body).text)]),
    );
    t.deepEqual([...posted.values()].flat().sort(), hosts);
  });
});
