import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { stringify } from 'yaml';
import { openStore } from '../../src/store/open.ts';
import { httpReceiver } from '../support/http-receiver.ts';
import { scratchFolder } from '../support/scratch.ts';
import { smtpReceiver } from '../support/smtp-receiver.ts';
import { realClock, realRandom } from '../support/world.ts';

const HOSTS = Array.from({ length: 12 }, (_, index) => `host-${index}`);

async function killSite(t: ExecutionContext) {
  const folder = await scratchFolder(t);
  const [mail, hook] = [await smtpReceiver(t), await httpReceiver(t)];
  const file = join(folder, 'penguindome.db');
  await writeFile(join(folder, 'secret'), '0123456789abcdef\n', { mode: 0o600 });
  const settings = {
    ...{ public_url: 'http://127.0.0.1:8443', ports: [{ port: 8443, tls: false }] },
    ...{ store: { kind: 'embedded', file }, state: 'state', pki: 'pki', keys: 'keys' },
    delivery: {
      timeout: '1s',
      mail: { to: ['admins@example.org'] },
      smtp: { host: '127.0.0.1', port: mail.port, tls: 'none', from: 'dome@example.org' },
      webhooks: [
        {
          ...{ name: 'ops', url: hook.url, secret_file: 'secret' },
          ...{ allow_addresses: ['127.0.0.1'], allow_plaintext: true },
        },
      ],
    },
  };
  await writeFile(join(folder, 'server.yml'), stringify(settings));
  const store = await openStore({ kind: 'embedded', file }, { clock: realClock, random: realRandom });
  t.teardown(() => store.close());
  for (const hostname of HOSTS) await store.issues.open(hostname, 'cloned-identity', new Date());

  const count = async (delivered: boolean) => {
    let found = 0;
    for await (const _ of store.outbox.list({ delivered })) found += 1;
    return found;
  };
  const start = (...args: string[]): ChildProcess =>
    spawn(process.execPath, ['build/penguindome', '--config', join(folder, 'server.yml'), ...args], {
      stdio: 'ignore',
    });
  /** The audit as long as it has not marked what it told; then what it left. */
  const next = async () => {
    for await (const { alerted_at } of store.issues.listOpen()) {
      if (alerted_at === undefined) return start('issues', 'audit');
    }
    return start('delivery', 'retry');
  };
  return { mail, hook, count, next };
}

test('a run that is killed in the middle loses no alert, and sends none under a second key', async (t) => {
  const { mail, hook, count, next } = await killSite(t);

  // As soon as anything is in the outbox: before or after the alerts are marked.
  const first = await next();
  while ((await count(true)) === 0 && first.exitCode === null) await sleep(1);
  first.kill('SIGKILL');
  await once(first, 'exit');
  t.is(await count(true), HOSTS.length * 2);

  // While a receiver has a message, and has not said so.
  for (const receiver of [hook, hook, mail]) {
    // what the others had claimed is free again after three times the timeout
    if (receiver === mail) await sleep(3100);
    const running = await next();
    const ended = once(running, 'exit');
    receiver.behave(() => {
      running.kill('SIGKILL');
      return 'late';
    });
    await ended;
    receiver.behave(() => 'take');
  }
  t.true((await count(false)) > 0 || hook.posts.length > HOSTS.length, 'it was struck');

  for (let round = 0; (await count(false)) > 0 && round < 20; round++) {
    await once(await next(), 'exit');
    if ((await count(false)) > 0) await sleep(500);
  }
  t.is(await count(false), 0);
  const byKey = new Map(hook.posts.map(({ headers, body }) => [headers['idempotency-key'], JSON.parse(body).host]));
  t.deepEqual([...byKey.values()].sort(), [...HOSTS].sort());
  const byId = new Map(mail.mails.map(({ messageId, raw }) => [messageId, raw]));
  const told = [...byId.values()].flatMap((raw) => HOSTS.filter((host) => new RegExp(`\\b${host}\\b`).test(raw)));
  t.deepEqual(told.sort(), [...HOSTS].sort());
  t.true(hook.posts.length > HOSTS.length, 'some came twice, under one key');
});
