import test from 'ava';
import { askWeb } from '../../src/agent/ask-web.ts';
import { seconds } from '../../src/core/duration.ts';
import { freePort } from '../support/free-port.ts';
import { webService } from './support/web-service.ts';

const timeout = seconds(10);
const never = new AbortController().signal;
const failureOf = async (t: Parameters<typeof webService>[0], asking: Promise<unknown>) =>
  (await t.throwsAsync(asking))?.message ?? '';

test('a GET, and JSON that is posted, are answered with status and text', async (t) => {
  const service = await webService(t);
  service.answer = (_, response) => response.writeHead(203).end('ünï');
  const url = new URL(`${service.origin}/ip?a=b`);
  t.deepEqual(await askWeb({ url, timeout }, never), { status: 203, text: 'ünï' });
  await askWeb({ url, body: { a: ['ü'] }, timeout }, never);
  t.deepEqual(service.asked, [
    { method: 'GET', url: '/ip?a=b', contentType: undefined, body: '' },
    { method: 'POST', url: '/ip?a=b', contentType: 'application/json', body: '{"a":["ü"]}' },
  ]);
});

test('over TLS the server must be one that the given authority signed for', async (t) => {
  const service = await webService(t, { tls: true });
  service.answer = (_, response) => response.end('hello');
  const url = new URL(service.origin);
  t.like(await askWeb({ url, ca: service.ca, timeout }, never), { text: 'hello' });
  const other = await webService(t, { tls: true });
  await t.throwsAsync(askWeb({ url, timeout }, never));
  await t.throwsAsync(askWeb({ url, ca: other.ca, timeout }, never));
  t.regex(await failureOf(t, askWeb({ url, ca: '/nowhere', timeout }, never)), /cannot read \/nowhere/);
  t.is(service.asked.length, 1);
});

test('a redirection is an answer, and is not followed', async (t) => {
  const service = await webService(t);
  service.answer = (_, response) => response.writeHead(302, { Location: `${service.origin}/other` }).end();
  t.like(await askWeb({ url: new URL(service.origin), timeout }, never), { status: 302 });
  t.is(service.asked.length, 1);
});

test('only the version of IP that was asked for is spoken', async (t) => {
  const service = await webService(t);
  const url = new URL(service.origin.replace('127.0.0.1', 'localhost'));
  t.like(await askWeb({ url, family: 4, timeout }, never), { status: 200 });
  await t.throwsAsync(askWeb({ url, family: 6, timeout }, never));
});

test('a flood, silence, a broken answer and nobody at all are failures, in time, that do not repeat the path', async (t) => {
  const service = await webService(t);
  const url = new URL(`${service.origin}/v1?key=s3cret`);
  service.answer = (_, response) => response.end('x'.repeat(100_000));
  const flood = await failureOf(t, askWeb({ url, timeout }, never));
  t.regex(flood, /more than 65536 bytes/);
  service.answer = () => undefined;
  const silence = await failureOf(t, askWeb({ url, timeout: 1000 }, never));
  t.regex(silence, /did not answer within 1s/);
  service.answer = (_, response) => {
    response.writeHead(200, { 'Content-Length': 10 }).write('x');
    response.destroy();
  };
  const broken = await failureOf(t, askWeb({ url, timeout }, never));
  const nobody = await failureOf(
    t,
    askWeb({ url: new URL(`http://127.0.0.1:${await freePort()}/?key=s3cret`), timeout }, never),
  );
  for (const reason of [flood, silence, broken, nobody]) {
    t.regex(reason, /^cannot ask 127\.0\.0\.1:\d+: ./);
    t.false(reason.includes('s3cret'));
  }
});

test('whoever runs the collector can break it off', async (t) => {
  const service = await webService(t);
  const stop = new AbortController();
  service.answer = () => stop.abort();
  await t.throwsAsync(askWeb({ url: new URL(service.origin), timeout }, stop.signal));
});
