import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { OutboxEntry } from '../../src/core/delivery.ts';
import { seconds } from '../../src/core/duration.ts';
import { DeliveryFailed } from '../../src/delivery/failure.ts';
import type { Lane } from '../../src/delivery/lane.ts';
import { loadTemplates } from '../../src/delivery/load-templates.ts';
import { mailLane } from '../../src/delivery/mail-lane.ts';
import type { SmtpSettings } from '../../src/settings/delivery-settings.ts';
import { anEntry } from '../support/alerts.ts';
import { type TestPki, testPki } from '../support/certificates.ts';
import { scratchFolder } from '../support/scratch.ts';
import { portOf, smtpReceiver } from '../support/smtp-receiver.ts';
import { realClock } from '../support/world.ts';

const OPTIONS = { test: false, signal: new AbortController().signal };
const ADMIN = { channel: 'mail', receiver: 'admins@example.org' } as const;

let pki: { tls: { certificate: string; key: string }; ca: string } | undefined;

/** Made once: two RSA keys take a second. */
async function certificates(t: ExecutionContext): Promise<NonNullable<typeof pki>> {
  if (pki !== undefined) return pki;
  const folder = join(process.env['PENGUINDOME_TEST_SCRATCH'] ?? (await scratchFolder(t)), `pki-${process.pid}`);
  const made: TestPki = await testPki(folder);
  const ca = join(folder, 'ca.crt');
  await writeFile(ca, made.authority.certificate);
  pki = { tls: await made.issue(), ca };
  return pki;
}

async function laneTo(
  port: number,
  changes: Partial<SmtpSettings> & { password?: string; timeout?: number } = {},
): Promise<Lane> {
  const { password, timeout = seconds(5), ...settings } = changes;
  const { templates } = await loadTemplates(undefined);
  return mailLane({
    settings: {
      ...{ host: '127.0.0.1', port, tls: 'starttls', allow_plaintext: false, from: 'dome@example.org' },
      ...settings,
    },
    ...{ password, templates, server: 'dome.example', timeout, clock: realClock },
  });
}

const send = (lane: Lane, ...entries: OutboxEntry[]) => lane.send(entries, OPTIONS);

test.serial('a mail goes by STARTTLS, after logging in, as plain text and HTML', async (t) => {
  const { tls, ca } = await certificates(t);
  const auth = { user: 'dome', password: 'p4ss' };
  const receiver = await smtpReceiver(t, { tls, auth });
  const lane = await laneTo(receiver.port, { ca, user: 'dome', password: 'p4ss' });
  await send(lane, anEntry(ADMIN), anEntry({ ...ADMIN, hostname: 'lap-8', title: 'Größe <b>' }));
  const [mail, ...more] = receiver.mails;
  if (mail === undefined) return t.fail();
  t.deepEqual(more, []);
  t.true(mail.secure);
  t.is(mail.user, 'dome');
  t.is(mail.from, 'dome@example.org');
  t.deepEqual(mail.to, ['admins@example.org']);
  t.regex(mail.raw, /^From: PenguinDome <dome@example.org>\r$/m);
  t.regex(mail.raw, /^Subject: \[PenguinDome\] 2 issues on 2 hosts\r$/m);
  t.regex(mail.raw, /^Auto-Submitted: auto-generated\r$/m);
  t.regex(mail.raw, /^Content-Type: multipart\/alternative/m);
  t.regex(mail.raw, /^Content-Type: text\/plain; charset=utf-8\r$/m);
  t.regex(mail.raw, /^Content-Type: text\/html; charset=utf-8\r$/m);
  t.regex(mail.raw, /Gr=C3=B6=C3=9Fe &#60;b&#62;/);
});

test.serial('a mail goes by TLS from the start where the settings say so', async (t) => {
  const { tls, ca } = await certificates(t);
  const receiver = await smtpReceiver(t, { tls, implicit: true });
  await send(await laneTo(receiver.port, { tls: 'implicit', ca }), anEntry(ADMIN));
  t.true(receiver.mails[0]?.secure);
});

test.serial('nothing is sent in the clear where TLS is asked for', async (t) => {
  const { tls, ca } = await certificates(t);
  const plain = await smtpReceiver(t);
  const unknown = await smtpReceiver(t, { tls });
  for (const lane of [await laneTo(plain.port, { ca }), await laneTo(unknown.port)]) {
    const error = await t.throwsAsync(send(lane, anEntry(ADMIN)), { instanceOf: DeliveryFailed });
    t.true(error?.unreachable, error?.message);
  }
  t.is(plain.tried() + unknown.tried(), 0);
  await send(await laneTo(plain.port, { tls: 'none' }), anEntry(ADMIN));
  t.false(plain.mails[0]?.secure);
});

test.serial('a wrong password is told, without the password', async (t) => {
  const { tls, ca } = await certificates(t);
  const receiver = await smtpReceiver(t, { tls, auth: { user: 'dome', password: 'right' } });
  const lane = await laneTo(receiver.port, { ca, user: 'dome', password: 'wr0ng' });
  const error = await t.throwsAsync(send(lane, anEntry(ADMIN)), { instanceOf: DeliveryFailed, message: /535/ });
  t.true(error?.unreachable);
  t.notRegex(error?.message ?? '', /wr0ng/);
});

test.serial('an address that the server does not know says nothing of the others', async (t) => {
  const receiver = await smtpReceiver(t, { unknown: ['admins@example.org'] });
  const lane = await laneTo(receiver.port, { tls: 'none' });
  const error = await t.throwsAsync(send(lane, anEntry(ADMIN)), { instanceOf: DeliveryFailed, message: /550/ });
  t.false(error?.unreachable);
});

test.serial('what comes from outside makes no header, no line of its own, and no markup', async (t) => {
  const receiver = await smtpReceiver(t);
  const nasty = 'x\r\nBcc: victim@example.org\r\n\r\n<script>alert(1)</script>\u202e';
  const lane = await laneTo(receiver.port, { tls: 'none' });
  await send(
    lane,
    anEntry({ ...ADMIN, hostname: nasty, title: nasty, name: nasty, reason: nasty, remediation: nasty }),
  );
  const [mail] = receiver.mails;
  if (mail === undefined) return t.fail();
  t.deepEqual(mail.to, ['admins@example.org']);
  const [head = ''] = mail.raw.split('\r\n\r\n');
  t.notRegex(head, /^Bcc/im);
  t.deepEqual([...head.matchAll(/^([\w-]+):/gm)].map(([, name]) => name).sort(), [
    'Auto-Submitted',
    'Content-Type',
    'Date',
    'From',
    'MIME-Version',
    'Message-ID',
    'Subject',
    'To',
  ]);
  t.notRegex(mail.raw.slice(mail.raw.indexOf('text/html')), /<script/);
});

test.serial('the id of a mail is that of what is in it, whenever it is sent', async (t) => {
  const receiver = await smtpReceiver(t);
  const lane = await laneTo(receiver.port, { tls: 'none' });
  const [one, two] = [anEntry(ADMIN), anEntry({ ...ADMIN, hostname: 'lap-8' })];
  await send(lane, one, two);
  await send(lane, { ...one, attempts: 1 }, two);
  await send(lane, one);
  const ids = receiver.mails.map(({ messageId }) => messageId);
  t.regex(ids[0] ?? '', /^<[0-9a-f]{40}@example\.org>$/);
  t.is(ids[1], ids[0]);
  t.not(ids[2], ids[0]);
});

test.serial('a server that breaks off, hangs, or never comes to an end holds nobody up', async (t) => {
  const receiver = await smtpReceiver(t);
  const lane = await laneTo(receiver.port, { tls: 'none', timeout: 500 });
  for (const [behaviour, message] of [
    ['cut', /./],
    ['hang', /^no answer within 0.5 s$/],
    ['later', /451/],
    ['never', /554/],
  ] as const) {
    receiver.behave(() => behaviour);
    await t.throwsAsync(send(lane, anEntry(ADMIN)), { instanceOf: DeliveryFailed, message }, behaviour);
  }
  t.is(receiver.mails.length, 0);
  const babbler = createServer((socket) => {
    const more = setInterval(() => socket.write('220-still here\r\n'), 20);
    socket.on('error', () => {}).on('close', () => clearInterval(more));
  });
  await new Promise<void>((resolve) => babbler.listen(0, '127.0.0.1', resolve));
  t.teardown(() => babbler.close());
  const babbling = await laneTo(portOf(babbler.address()), { tls: 'none', timeout: 500 });
  await t.throwsAsync(send(babbling, anEntry(ADMIN)), { message: 'no answer within 0.5 s' });
});
