import { execFile, spawn } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync, writeSync } from 'node:fs';
import {
  chmod,
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { copyInbox, listInbox, readInbox } from '../../../src/agent/orders/inbox.ts';
import { whenPresent } from '../../support/needs.ts';
import { realRandom } from '../../support/world.ts';
import { commandOrder, type OrderHost, orderHost, settingsOrder, settle, sha256, sign } from '../support/orders.ts';

const run = promisify(execFile);
const isRoot = process.geteuid?.() === 0;

/** A good order lies there too: it must get through. */
async function among(t: ExecutionContext, host: OrderHost, what: string): Promise<void> {
  host.act = settle;
  const id = await host.order(settingsOrder());
  const applied = await host.apply();
  t.deepEqual(applied.accepted, [id], what);
  t.deepEqual(applied.broken, []);
  const again = await host.apply();
  t.deepEqual(again.refused, [], 'junk that stays is told once');
}

const JUNK: Record<string, (path: string, host: OrderHost) => Promise<unknown>> = {
  'a FIFO that nobody writes to': (path) => run('mkfifo', [path]),
  'a symbolic link': (path) => symlink('/etc/passwd', path),
  'a symbolic link to a FIFO': async (path) => {
    await run('mkfifo', [`${path}.fifo`]);
    await symlink(`${path}.fifo`, path);
  },
  'a symbolic link to itself': (path) => symlink(path, path),
  'a directory': (path) => mkdir(join(path, 'below'), { recursive: true }),
  'a second name of another file': async (path, { places }) => {
    const secret = join(places.state, 'secret');
    await writeFile(secret, '{"manifest": "x", "signatures": []}');
    await link(secret, path);
  },
  'a sparse file of a terabyte': async (path) => {
    await writeFile(path, '');
    await truncate(path, 1024 ** 4);
  },
  'an empty file': (path) => writeFile(path, ''),
  'what is no JSON': (path) => writeFile(path, Buffer.from([0, 255, 254])),
  'JSON of another shape': (path) => writeFile(path, '[[[]]]'),
  'JSON that nests deep': (path) => writeFile(path, `${'['.repeat(2_000_000)}`),
  'an order with a field more': (path) => writeFile(path, '{"manifest": "", "signatures": ["x"], "more": 1}'),
  'a socket': async (path) => {
    // By a short name, which is all that a socket may have; killed, so that nobody removes it.
    const script = "require('node:net').createServer().listen('s', () => process.kill(process.pid, 'SIGKILL'))";
    await run(process.execPath, ['-e', script], { cwd: dirname(path) }).catch(() => undefined);
    await rename(join(dirname(path), 's'), path);
  },
};

for (const [what, put] of Object.entries(JUNK)) {
  test(`in the place of an order: ${what}`, async (t) => {
    const host = await orderHost(t);
    const id = realRandom.uuid();
    await put(join(host.places.inbox, `${id}.json`), host);
    await among(t, host, what);
    const receipt = (await host.receipts()).find(({ order }) => order === id);
    t.is(receipt?.event, 'refused');
    t.notRegex(JSON.stringify(await host.receipts()), /root:x:/);
  });

  test(`in the place of a file: ${what}`, async (t) => {
    const host = await orderHost(t);
    const script = '#!/bin/sh\necho this is the one\n';
    const manifest = commandOrder(script);
    await put(join(host.places.inbox, sha256(script)), host);
    await host.put(await sign(manifest, 'server'), manifest.id);
    await among(t, host, what);
    t.regex((await host.report(manifest.id))?.reason ?? '', /a file of it is not the one that was signed/);
    t.deepEqual(
      host.acted.filter((id) => id === manifest.id),
      [],
    );
  });

  test(`in the place of what was heard about keys: ${what}`, async (t) => {
    const host = await orderHost(t);
    await host.apply();
    await put(join(host.places.inbox, 'trust.json'), host);
    await among(t, host, what);
    t.is((await host.known())['order_key'], 0);
  });

  test(`in the place of what the server was told: ${what}`, async (t) => {
    const host = await orderHost(t);
    await put(join(host.places.inbox, 'told.json'), host);
    await among(t, host, what);
  });
}

whenPresent(isRoot, 'devices: only root can make them')('devices in the inbox are not read', async (t) => {
  const host = await orderHost(t);
  const ids = [realRandom.uuid(), realRandom.uuid()];
  await run('mknod', [join(host.places.inbox, `${ids[0]}.json`), 'c', '1', '5']);
  await run('mknod', [join(host.places.inbox, `${ids[1]}.json`), 'c', '5', '0']);
  await among(t, host, 'devices');
  t.deepEqual((await host.receipts()).filter(({ event }) => event === 'refused').length, 2);
});

test('a good order under a second name of a file that somebody else has is none', async (t) => {
  const host = await orderHost(t);
  const manifest = settingsOrder();
  const other = join(host.places.state, 'other');
  await writeFile(other, JSON.stringify(await sign(manifest, 'server')));
  await link(other, join(host.places.inbox, `${manifest.id}.json`));
  t.regex((await host.apply()).refused[0]?.reason ?? '', /it is no regular file of its own/);
});

test('the inbox itself may be a link, a file or missing', async (t) => {
  for (const put of [
    (path: string) => symlink('/etc', path),
    (path: string) => writeFile(path, ''),
    async () => undefined,
  ]) {
    const host = await orderHost(t);
    await rm(host.places.inbox, { recursive: true });
    await put(host.places.inbox);
    t.deepEqual((await host.apply()).refused, []);
  }
});

test('a flood of files costs a limited time, and no more receipts than there are in a day', async (t) => {
  const host = await orderHost(t);
  await host.apply();
  for (let i = 0; i < 20_000; i++) {
    closeSync(openSync(join(host.places.inbox, `junk-${i}`), constants.O_CREAT | constants.O_WRONLY));
  }
  for (let i = 0; i < 300; i++) await writeFile(join(host.places.inbox, `${realRandom.uuid()}.json`), `junk ${i}`);
  t.is(listInbox(host.places).ids.length, 300);
  await host.apply();
  t.is((await host.receipts()).length, 200);
  t.is(JSON.parse(await readFile(host.places.orders.seen, 'utf8')).unrecorded, 100);
  t.deepEqual(listInbox(host.places).ids, []);
});

test('more orders than are looked at in one run wait for the next', async (t) => {
  const host = await orderHost(t);
  for (let i = 0; i < 1_200; i++) await writeFile(join(host.places.inbox, `${realRandom.uuid()}.json`), `junk ${i}`);
  t.is(listInbox(host.places).ids.length, 1_000);
});

test('a file that is swapped while it is read comes whole from one of the two, or not at all', async (t) => {
  const host = await orderHost(t);
  const good = 'good'.repeat(200_000);
  const path = join(host.places.inbox, sha256(good));
  const evil = `${'evil'.repeat(200_000)}`;
  await writeFile(path, good);
  await writeFile(join(host.places.inbox, 'good'), good);
  await writeFile(join(host.places.inbox, 'evil'), evil);
  // Swaps names, and writes into the very file, as fast as it can.
  const script = `
    const fs = require('node:fs');
    const [path, good, evil] = process.argv.slice(1);
    process.send('ready');
    for (let i = 0; ; i++) {
      fs.copyFileSync(i % 2 ? good : evil, path + '.next');
      fs.renameSync(path + '.next', path);
      const fd = fs.openSync(path, 'r+');
      fs.writeSync(fd, i % 3 ? 'good' : 'evil', (i * 4096) % 790000);
      fs.closeSync(fd);
    }`;
  const swapper = spawn(
    process.execPath,
    ['-e', script, path, join(host.places.inbox, 'good'), join(host.places.inbox, 'evil')],
    {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    },
  );
  t.teardown(() => swapper.kill('SIGKILL'));
  await new Promise((resolve) => swapper.once('message', resolve));
  const target = join(host.places.state, 'copy');
  const seen = { copied: 0, altered: 0, missing: 0 };
  for (let i = 0; i < 200; i++) {
    await rm(target, { force: true });
    const copied = copyInbox(host.places, { sha256: sha256(good), size: good.length }, target);
    seen[copied]++;
    if (copied === 'copied') t.is(sha256(await readFile(target, 'utf8')), sha256(good));
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.true(seen.copied + seen.altered > 0);
});

test('a file that grows while it is read is not taken', async (t) => {
  const host = await orderHost(t);
  const path = join(host.places.inbox, 'grows');
  await writeFile(path, 'x');
  const fd = openSync(path, constants.O_WRONLY | constants.O_APPEND);
  t.teardown(() => closeSync(fd));
  t.is(readInbox(host.places, 'grows', 10)?.length, 1);
  writeSync(fd, 'y'.repeat(20));
  t.throws(() => readInbox(host.places, 'grows', 10), { message: /holds more than 10 bytes/ });
  // The kernel says that this file is empty, and then gives more.
  t.throws(() => readInbox({ inbox: '/proc/sys/kernel' }, 'ostype', 10), { message: /it is being written/ });
});

whenPresent(isRoot, 'another user: only root can be one')(
  'nothing of what the submitter owns becomes readable or writable for it in the folders of the applier',
  async (t) => {
    const host = await orderHost(t);
    const script = '#!/bin/sh\n';
    const manifest = commandOrder(script);
    await host.put(await sign(manifest, 'server'), manifest.id, script);
    await run('chown', ['-R', '12345:12345', host.places.inbox]);
    await host.apply();
    for (const path of [host.places.orders.root, host.places.orderTrust.root]) {
      t.is((await stat(path)).mode & 0o777, 0o700);
      t.is((await stat(path)).uid, 0);
    }
    const folder = join(host.places.orders.root, manifest.id);
    for (const name of await readdir(folder, { recursive: true })) {
      const facts = await stat(join(folder, name));
      t.is(facts.uid, 0, name);
      t.is(facts.mode & 0o077 & (facts.isFile() ? 0o777 : 0o022), 0, name);
    }
    t.is((await stat(host.places.results)).mode & 0o777, 0o750);
    t.is((await stat(host.places.receipts)).mode & 0o777, 0o644);
    t.is((await stat(join(host.places.results, 'known.json'))).mode & 0o777, 0o640);
  },
);

test('what is told of a place in orders/ that a crash left goes at the next run', async (t) => {
  const host = await orderHost(t);
  mkdirSync(join(host.places.orders.root, `.tmp-${realRandom.uuid()}`, 'files'), { recursive: true });
  await chmod(dirname(host.places.orders.root), 0o755);
  await host.apply();
  t.deepEqual(
    (await readdir(host.places.orders.root)).filter((name) => name.startsWith('.tmp-')),
    [],
  );
});
