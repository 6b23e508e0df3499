import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { deliveryList } from '../../src/admin/delivery-list.ts';
import { deliveryRetry } from '../../src/admin/delivery-retry.ts';
import { deliveryTest } from '../../src/admin/delivery-test.ts';
import { issuesAudit } from '../../src/admin/issues-audit.ts';
import type { AuditReport } from '../../src/core/audit.ts';
import { httpReceiver } from '../support/http-receiver.ts';
import { scratchFolder } from '../support/scratch.ts';
import { smtpReceiver } from '../support/smtp-receiver.ts';
import { type AdminSite, adminSite, NOW, refusal } from './admin-site.ts';

/** A server with a mail server and a webhook, and an open issue of each of these hosts. */
async function siteWith(t: ExecutionContext, hostnames: string[], own: object = {}) {
  const [mail, hook] = [await smtpReceiver(t), await httpReceiver(t)];
  const secret = join(await scratchFolder(t), 'secret');
  await writeFile(secret, '0123456789abcdef\n', { mode: 0o600 });
  const webhook = { name: 'ops', url: hook.url, secret_file: secret };
  const site = await adminSite(t, 'embedded', {
    delivery: {
      timeout: '20s',
      mail: { to: ['admins@example.org'] },
      smtp: { host: '127.0.0.1', port: mail.port, tls: 'none', from: 'dome@example.org' },
      webhooks: [{ ...webhook, allow_addresses: ['127.0.0.1'], allow_plaintext: true }],
      ...own,
    },
  });
  for (const hostname of hostnames) await site.store.issues.open(hostname, 'cloned-identity', NOW);
  return { site, mail, hook };
}

async function alertedAt({ store }: AdminSite): Promise<(Date | undefined)[]> {
  const found: (Date | undefined)[] = [];
  for await (const { alerted_at } of store.issues.listOpen()) found.push(alerted_at);
  return found;
}

test('an audit tells every receiver, and marks what it has told', async (t) => {
  const { site, mail, hook } = await siteWith(t, ['lap-7', 'lap-8']);
  const { err } = await site.run(issuesAudit);
  t.is(err, 'delivery: 4 delivered\n');
  t.is(mail.mails.length, 1, 'a digest');
  t.deepEqual(hook.posts.map(({ body }) => JSON.parse(body).host).sort(), ['lap-7', 'lap-8']);
  t.deepEqual(await alertedAt(site), [NOW, NOW]);
  t.is((await site.run(deliveryList)).err, 'nothing waits to be delivered\n');
});

test('an audit whose messages fail has run all the same, says so, and the messages wait', async (t) => {
  const { site, mail, hook } = await siteWith(t, ['lap-7']);
  mail.behave(() => 'later');
  hook.behave(() => 'later');
  const report = (await site.json(issuesAudit)) as AuditReport & { delivery: { failed: number; problems: string[] } };
  t.is(report.issues.length, 1);
  t.is(report.delivery.failed, 2);
  t.deepEqual(report.delivery.problems.map((problem) => problem.replace(/:.*451.*\(/, ': 451 (')).sort(), [
    'mail admins@example.org: 451 (1 alert)',
    'webhook ops: it answered 503 (1 alert)',
  ]);
  t.deepEqual(await alertedAt(site), [NOW]);
  const { out } = await site.run(deliveryList);
  t.regex(out, /^ID +STATE +TO +HOST +ISSUE +TRIED +WHEN +FAILURE\n/);
  t.regex(out, /\n[0-9a-f]{12} +waiting +webhook ops +lap-7 +cloned-identity +1 +in \d+[sm] +it answered 503\n/);

  const message = await refusal(t, site.run(deliveryRetry));
  t.regex(message, /^cannot deliver everything now/);
  mail.behave(() => 'take');
  hook.behave(() => 'take');
  t.regex((await site.run(deliveryRetry, '--due')).out, /^0 delivered/);
  t.is((await site.run(deliveryRetry)).out, '2 delivered, 0 failed, 0 given up\n');
  const all = await site.json(deliveryList, '--all');
  t.like(all, [
    { state: 'delivered', attempts: 3 },
    { state: 'delivered', attempts: 3 },
  ]);
});

test('one message can be tried by its id', async (t) => {
  const { site, hook } = await siteWith(t, ['lap-7', 'lap-8']);
  hook.behave(() => 'never');
  await site.run(issuesAudit);
  hook.behave(() => 'take');
  const { out } = await site.run(deliveryList);
  const id = /^([0-9a-f]{12}) .* lap-8 /m.exec(out)?.[1] ?? t.fail();
  t.is((await site.run(deliveryRetry, id)).out, '1 delivered, 0 failed, 0 given up\n');
  t.deepEqual(
    hook.posts.map(({ body }) => JSON.parse(body).host),
    ['lap-8'],
  );
  t.regex(await refusal(t, site.run(deliveryRetry, 'ffffffffffff')), /nothing of that id waits/);
  t.regex(await refusal(t, site.run(deliveryRetry, 'xyz')), /expected an id/);
  t.regex(await refusal(t, site.run(deliveryRetry, id, '--due')), /not both/);
});

test('where the outbox cannot take an alert, it is not marked, and comes again', async (t) => {
  const { site, hook } = await siteWith(t, ['lap-7']);
  const { outbox } = site.store;
  const { add } = outbox;
  outbox.add = () => Promise.reject(new Error('the disk is full'));
  t.is((await site.run(issuesAudit)).err, 'delivery: the disk is full\n');
  t.deepEqual(await alertedAt(site), [undefined]);
  outbox.add = add;
  await site.run(issuesAudit);
  t.is(hook.posts.length, 1);
});

test('users are mailed where --email says so', async (t) => {
  const { site, mail } = await siteWith(t, ['lap-7', 'lap-8', 'lap-9'], { mail: { enabled: false } });
  for (const name of ['lap-7', 'lap-8'])
    await site.store.parameters.set(name, 'user_email', [`user-of-${name}@example.org`], NOW);
  await site.run(issuesAudit);
  t.is(mail.mails.length, 0);
  site.clock.set(new Date(NOW.getTime() + 2 * 86_400_000));
  await site.run(issuesAudit, '--email');
  t.deepEqual(mail.mails.flatMap(({ to }) => to).sort(), ['user-of-lap-7@example.org', 'user-of-lap-8@example.org']);
  t.regex(mail.mails[0]?.raw ?? '', /Something about your computer is not as it should be/);
});

test('the journal gets a line for each alert, with a priority by severity', async (t) => {
  const { site } = await siteWith(t, ['lap-7'], { mail: { enabled: false }, webhooks: [], journal: {} });
  const { err } = await site.run(issuesAudit);
  const [line = ''] = err.split('\n');
  t.regex(line, /^<3>\{/);
  t.like(JSON.parse(line.slice(3)), { event: 'issue.alerted', host: 'lap-7', issue: 'cloned-identity' });
});

test('delivery test sends a marked message to each receiver, and says what happened', async (t) => {
  const { site, mail, hook } = await siteWith(t, []);
  const { out } = await site.run(deliveryTest);
  t.is(
    out,
    'CHANNEL  TO                  RESULT\nmail     admins@example.org  taken\nwebhook  ops                 taken\n',
  );
  t.regex(mail.mails[0]?.raw ?? '', /^Subject: \[test\]/m);
  t.is(JSON.parse(hook.posts[0]?.body ?? '').type, 'test');
  hook.behave(() => 'never');
  t.is(await refusal(t, site.run(deliveryTest, 'ops')), 'cannot reach 1 of 1; see above');
  t.is(mail.mails.length, 1);
  await site.run(deliveryTest, '--to', 'anna@example.org');
  t.deepEqual(mail.mails[1]?.to, ['anna@example.org']);
  t.regex(await refusal(t, site.run(deliveryTest, 'pager')), /there are mail, ops/);
  t.regex(await refusal(t, site.run(deliveryTest, '--to', 'no address')), /one mail address/);
  t.is((await site.run(deliveryList, '--all')).err, 'nothing waits to be delivered\n');
});

test('where nothing is switched on, delivery test says what to do', async (t) => {
  const site = await adminSite(t);
  t.regex(await refusal(t, site.run(deliveryTest)), /docs\/delivery\.md/);
});
