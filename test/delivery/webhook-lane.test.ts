import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { seconds } from '../../src/core/duration.ts';
import { loadTemplates } from '../../src/delivery/load-templates.ts';
import { webhookLane } from '../../src/delivery/webhook-lane.ts';
import { anEntry } from '../support/alerts.ts';
import { httpReceiver } from '../support/http-receiver.ts';
import { scratchFolder } from '../support/scratch.ts';
import { standingClock } from '../support/world.ts';

const run = promisify(execFile);
const SECRET = '0123456789abcdef0123456789abcdef';
const OPTIONS = { test: false, signal: new AbortController().signal };

async function laneTo(t: ExecutionContext, format: 'json' | 'slack', secret?: string) {
  const receiver = await httpReceiver(t);
  const clock = standingClock(new Date('2026-11-23T12:00:00.900Z'));
  const { templates } = await loadTemplates(undefined);
  const lane = await webhookLane({
    settings: {
      ...{ name: 'ops', enabled: true, severity: 'low', format, allow_plaintext: true },
      allow_addresses: ['127.0.0.1'],
    },
    secrets: { url: new URL(receiver.url), ...(secret === undefined ? {} : { secret }) },
    ...{ slack: templates['slack.txt'], server: 'dome.example', version: '0.0.0', timeout: seconds(5), clock },
  });
  return { lane, receiver, clock };
}

test('a plain webhook gets one alert as JSON, its key, and a signature over time and body', async (t) => {
  const { lane, receiver, clock } = await laneTo(t, 'json', SECRET);
  const entry = anEntry({ remediation: 'do it', attempts: 3 });
  await lane.send([entry], OPTIONS);
  clock.set(new Date('2026-11-23T13:00:00Z'));
  await lane.send([{ ...entry, attempts: 4 }], OPTIONS);
  const [first, second] = receiver.posts;
  if (first === undefined || second === undefined) return t.fail();
  t.deepEqual(JSON.parse(first.body), {
    type: 'alert',
    id: entry.key,
    server: 'dome.example',
    at: '2026-11-23T12:00:00.000Z',
    host: 'lap-7',
    issue: 'firewall-disabled',
    title: 'The firewall is off',
    severity: 'high',
    opened_at: '2026-11-20T09:00:00.007Z',
    remediation: 'do it',
  });
  t.is(second.body, first.body, 'the same message has the same bytes');
  t.is(first.headers['idempotency-key'], entry.key);
  t.is(first.headers['content-type'], 'application/json');
  t.is(first.headers['penguindome-timestamp'], '1795435200');
  const mac = createHmac('sha256', SECRET).update(`1795435200.${first.body}`).digest('hex');
  t.is(first.headers['penguindome-signature'], `v1=${mac}`);
  t.not(second.headers['penguindome-signature'], first.headers['penguindome-signature']);
});

test('the signature is what openssl makes of the same bytes', async (t) => {
  const { lane, receiver } = await laneTo(t, 'json', SECRET);
  await lane.send([anEntry({ title: 'Ümlaut' })], OPTIONS);
  const [signed] = receiver.posts;
  if (signed === undefined) return t.fail();
  const { body, headers } = signed;
  const file = join(await scratchFolder(t), 'signed');
  await writeFile(file, `${headers['penguindome-timestamp']}.${body}`);
  const { stdout } = await run('openssl', ['dgst', '-sha256', '-hmac', SECRET, file]);
  t.is(headers['penguindome-signature'], `v1=${stdout.trim().split('= ')[1]}`);
});

test('the example of docs/delivery.md tells what is ours from what is not', async (t) => {
  const { lane, receiver } = await laneTo(t, 'json', SECRET);
  await lane.send([anEntry({ title: 'Ümlaut' })], OPTIONS);
  const [post] = receiver.posts;
  if (post === undefined) return t.fail();
  const [, example = ''] = /```js\n([\s\S]*?)```/.exec(await readFile('docs/delivery.md', 'utf8')) ?? [];
  const { isOurs } = await import(`data:text/javascript,${encodeURIComponent(example)}`);
  const { headers, body } = post;
  const now = Date.parse('2026-11-23T12:04:00Z');
  t.true(isOurs(SECRET, headers, Buffer.from(body), now));
  t.false(isOurs('another', headers, body, now));
  t.false(isOurs(SECRET, headers, `${body} `, now));
  t.false(isOurs(SECRET, { ...headers, 'penguindome-timestamp': '1795435201' }, body, now));
  t.false(isOurs(SECRET, headers, body, now + 120_000), 'too old');
  t.false(isOurs(SECRET, {}, body, now));
});

test('Slack gets alerts together, as text in which nothing calls anybody', async (t) => {
  const { lane, receiver } = await laneTo(t, 'slack');
  const entries = [anEntry({ title: '<!channel> & all' }), anEntry({ hostname: 'lap-8' })];
  await lane.send(entries, OPTIONS);
  await lane.send(entries, OPTIONS);
  const [first, second] = receiver.posts;
  const { text, ...rest } = JSON.parse(first?.body ?? '');
  t.deepEqual(rest, {});
  t.regex(text, /^\*2 issues on 2 hosts\*\nlap-7\n• high: &lt;!channel&gt; &amp; all/);
  t.is(first?.headers['idempotency-key'], second?.headers['idempotency-key']);
  t.is(first?.headers['penguindome-signature'], undefined, 'Slack would not look at it');
});

test('a test message says that it is one', async (t) => {
  const { lane, receiver } = await laneTo(t, 'json', SECRET);
  await lane.send([anEntry()], { ...OPTIONS, test: true });
  t.is(JSON.parse(receiver.posts[0]?.body ?? '').type, 'test');
});
