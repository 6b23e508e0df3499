import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { seconds } from '../../src/core/duration.ts';
import { DeliveryFailed } from '../../src/delivery/failure.ts';
import { type Lookup, type Post, post } from '../../src/delivery/post.ts';
import { testPki } from '../support/certificates.ts';
import { httpReceiver } from '../support/http-receiver.ts';
import { scratchFolder } from '../support/scratch.ts';
import { portOf } from '../support/smtp-receiver.ts';

const LOOPBACK = ['127.0.0.0/8'];

function aPost(url: string, changes: Partial<Post> = {}): Post {
  return {
    url: new URL(url),
    headers: { 'content-type': 'application/json', 'idempotency-key': 'k' },
    body: '{"ü":1}',
    allowed: LOOPBACK,
    timeout: seconds(5),
    signal: new AbortController().signal,
    ...changes,
  };
}

/** A resolver that gives these answers, one after the other. */
function resolving(...answers: string[][]): { lookup: Lookup; asked: () => number } {
  let asked = 0;
  const lookup: Lookup = (_name, _options, callback) => {
    const addresses = answers[Math.min(asked, answers.length - 1)] ?? [];
    asked += 1;
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return { lookup, asked: () => asked };
}

test('a post arrives as it was given, over HTTP and over TLS', async (t) => {
  const pki = await testPki(join(await scratchFolder(t), 'pki'));
  for (const receiver of [await httpReceiver(t), await httpReceiver(t, { tls: await pki.issue() })]) {
    await post(aPost(receiver.url, { ca: pki.authority.certificate }));
    const [got, ...more] = receiver.posts;
    t.deepEqual(more, []);
    t.is(got?.body, '{"ü":1}');
    t.is(got?.headers['idempotency-key'], 'k');
    t.is(got?.path, '/hook');
  }
});

test('a certificate that nobody vouches for is refused', async (t) => {
  const pki = await testPki(join(await scratchFolder(t), 'pki'));
  const receiver = await httpReceiver(t, { tls: await pki.issue() });
  const error = await t.throwsAsync(post(aPost(receiver.url)), { instanceOf: DeliveryFailed, message: /certificate/ });
  t.true(error?.unreachable);
  t.is(receiver.tried(), 0);
});

const REFUSED = [
  'http://127.0.0.1:PORT/',
  'http://localhost:PORT/',
  'http://[::1]:PORT/',
  'http://[::ffff:127.0.0.1]:PORT/',
  'http://0x7f.1:PORT/',
  'http://2130706433:PORT/',
  'http://0:PORT/',
];

for (const url of REFUSED) {
  test(`${url} is refused where it is not allowed`, async (t) => {
    const receiver = await httpReceiver(t, { host: '127.0.0.1' });
    const given = aPost(url.replace('PORT', String(receiver.port)), { allowed: ['10.0.0.0/8'] });
    await t.throwsAsync(post(given), { instanceOf: DeliveryFailed, message: /no public address/ });
    t.is(receiver.tried(), 0);
  });
}

test('a name is refused for what it resolves to, and gets only the addresses that it may have', async (t) => {
  const receiver = await httpReceiver(t);
  const url = `http://hook.example:${receiver.port}/`;
  const at = (...answers: string[][]) => ({ ...resolving(...answers), allowed: ['127.0.0.1'] });
  await t.throwsAsync(post(aPost(url, at(['10.0.0.1', 'fd00::1']))), { message: /^hook.example is at no public/ });
  t.is(receiver.tried(), 0);
  await post(aPost(url, at(['10.0.0.1', '127.0.0.1'])));
  t.is(receiver.posts.length, 1);
  t.is(receiver.posts[0]?.headers.host, `hook.example:${receiver.port}`);
});

test('a name that changes its mind is asked once, and the address that was looked at is the one connected to', async (t) => {
  const receiver = await httpReceiver(t);
  const rebinding = resolving(['127.0.0.1'], ['10.0.0.1']);
  await post(aPost(`http://hook.example:${receiver.port}/`, { lookup: rebinding.lookup, allowed: ['127.0.0.1'] }));
  t.is(rebinding.asked(), 1);
  t.is(receiver.posts.length, 1);
});

test('a redirect is not followed', async (t) => {
  const [receiver, inside] = [await httpReceiver(t), await httpReceiver(t)];
  receiver.answer((_request, response) => response.writeHead(307, { location: inside.url }).end());
  await t.throwsAsync(post(aPost(receiver.url)), { message: 'it answered 307; redirects are not followed' });
  t.is(inside.tried(), 0);
});

test('an answer says whether the receiver is to be left alone, and for how long', async (t) => {
  const receiver = await httpReceiver(t);
  const answers: [status: number, header: string | undefined, unreachable: boolean, wait: number | undefined][] = [
    [400, '7', false, undefined],
    [404, undefined, false, undefined],
    [429, '7', true, 7000],
    [503, 'Wed, 21 Oct 2026 07:28:00 GMT', true, undefined],
    [500, undefined, true, undefined],
  ];
  for (const [status, header, unreachable, wait] of answers) {
    receiver.answer((_request, response) =>
      response.writeHead(status, header === undefined ? {} : { 'retry-after': header }).end('not for anybody to see'),
    );
    const error = await t.throwsAsync(post(aPost(receiver.url)), { instanceOf: DeliveryFailed });
    t.deepEqual([error?.message, error?.unreachable, error?.retryAfter], [`it answered ${status}`, unreachable, wait]);
  }
});

test('an endless answer is cut off; its status counts', async (t) => {
  const receiver = await httpReceiver(t);
  let sent = 0;
  receiver.answer((_request, response) => {
    response.writeHead(200);
    const more = () => {
      while (!response.destroyed) {
        sent += 1024;
        if (!response.write('x'.repeat(1024))) break;
      }
    };
    response.on('drain', more).on('error', () => {});
    more();
  });
  await post(aPost(receiver.url));
  t.true(sent < 64 * 1024 * 1024, `${sent} bytes`);
});

test('who does not answer, or not to the end, is given up on in time', async (t) => {
  const receiver = await httpReceiver(t);
  receiver.behave(() => 'hang');
  const quick = { timeout: 300 };
  await t.throwsAsync(post(aPost(receiver.url, quick)), { message: 'no answer within 0.3 s' });
  receiver.behave(() => 'cut');
  await t.throwsAsync(post(aPost(receiver.url)), { message: /socket hang up|ECONNRESET/ });
  const mute = createServer((socket) => socket.on('error', () => {}).write('HTTP/1.1 200 OK\r\n'));
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  t.teardown(() => mute.close());
  const url = `http://127.0.0.1:${portOf(mute.address())}/`;
  await t.throwsAsync(post(aPost(url, quick)), { message: 'no answer within 0.3 s' });
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 50);
  await t.throwsAsync(post(aPost(url, { signal: stop.signal })), { instanceOf: DeliveryFailed });
});

test('nobody at the port is told without the URL, which may be a secret', async (t) => {
  const error = await t.throwsAsync(post(aPost('http://127.0.0.1:1/T000/secret')), { instanceOf: DeliveryFailed });
  t.regex(error?.message ?? '', /ECONNREFUSED/);
  t.notRegex(error?.message ?? '', /secret/);
});
