import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'ava';
import { days } from '../../src/core/duration.ts';
import { followRotations, newestOf, onlyAnswerKey } from '../../src/crypto/answer-keys.ts';
import { generateSigningKey, loadSigningKey } from '../../src/crypto/ed25519.ts';
import { loadAnswerKeys } from '../../src/settings/answer-key-files.ts';
import { readChain } from '../../src/wire/v2/answer-keys.ts';
import { KEYS } from '../../src/wire/v2/paths.ts';
import { rotated } from '../support/answer-keys.ts';
import { freePort } from '../support/free-port.ts';
import { httpRequest } from '../support/http.ts';
import { succeed } from '../support/penguindome.ts';
import { scratchFolder } from '../support/scratch.ts';
import { startTestServer } from '../support/server.ts';
import { enrolledClient, v2Client } from '../support/v2-client.ts';

const labels = (header: unknown) => [...String(header).matchAll(/(penguindome[\w-]*)=\(/g)].map(([, label]) => label);

test('a server that has not rotated shows no rotations; all may read them, caches may keep them', async (t) => {
  const server = await startTestServer(t);
  const { status, headers, body } = await httpRequest(server.url + KEYS, {});
  t.is(status, 200);
  t.is(body.toString(), '{"rotations":[]}');
  t.is(headers['cache-control'], 'public, max-age=60');
  const again = await httpRequest(server.url + KEYS, { headers: { 'if-none-match': String(headers.etag) } });
  t.deepEqual([again.status, again.body.length], [304, 0]);
  await server.rotateTo(rotated(onlyAnswerKey(server.answerKey)));
  const changed = await httpRequest(server.url + KEYS, { headers: { 'if-none-match': String(headers.etag) } });
  t.is(changed.status, 200);
  const posted = await httpRequest(server.url + KEYS, { method: 'POST' });
  t.deepEqual([posted.status, posted.headers.allow], [405, 'HEAD, GET']);
});

test('after a reload answers are signed by the new key, and by the old one until the overlap ends', async (t) => {
  const server = await startTestServer(t);
  const old = onlyAnswerKey(server.answerKey);
  const client = await enrolledClient(server, 'penguin');
  t.deepEqual(labels((await client.update()).headers['signature-input']), ['penguindome']);
  await server.rotateTo(rotated(rotated(old), { overlap: days(1) }));
  const both = await client.update();
  t.deepEqual(labels(both.headers['signature-input']), ['penguindome', 'penguindome-1', 'penguindome-0']);
  for (const [known, expected] of [
    ['2', ['penguindome']],
    ['1', ['penguindome', 'penguindome-1']],
  ] as const) {
    const answer = await client.update({ headers: { 'penguindome-answer-key': known } });
    t.deepEqual(labels(answer.headers['signature-input']), expected);
  }
  await server.rotateTo(rotated(old, { madeAt: new Date(Date.now() - days(8)) }));
  t.deepEqual(labels((await client.update()).headers['signature-input']), ['penguindome']);
});

test('refusals of an unknown host are signed by both keys too', async (t) => {
  const server = await startTestServer(t);
  await server.rotateTo(rotated(onlyAnswerKey(server.answerKey)));
  const stranger = v2Client({ ...server, answerKey: loadSigningKey(generateSigningKey()), hostname: 'stranger' });
  const answer = await stranger.update();
  t.is(answer.status, 401);
  t.deepEqual(labels(answer.headers['signature-input']), ['penguindome', 'penguindome-0']);
});

test('`penguindome keys rotate server` reaches a running server by SIGHUP; keys that cannot be used leave the old ones', async (t) => {
  const dir = join(await scratchFolder(t), 'site');
  const [port, local] = [await freePort(), await freePort()];
  const url = `https://127.0.0.1:${port}`;
  const config = join(dir, 'server.yml');
  await succeed([
    ...['setup', '--yes', '--dir', dir, '--port', String(port), '--local-port', String(local), '--public-url', url],
  ]);
  const ca = await readFile(join(dir, 'pki/ca.crt'), 'utf8');
  const child = spawn(process.execPath, ['build/penguindome-server', '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => void child.kill('SIGKILL'));
  const waiting: [event: string, done: () => void][] = [];
  createInterface(child.stdout).on('line', (line) => {
    const { event } = JSON.parse(line);
    for (const [name, done] of waiting) if (name === event) done();
  });
  const heard = (event: string) => new Promise<void>((done) => waiting.push([event, done]));
  await heard('server.ready');
  const before = await loadAnswerKeys({ keys: join(dir, 'keys') });
  await succeed(['--config', config, 'keys', 'rotate', 'server']);
  t.is((await httpRequest(url + KEYS, { ca })).body.toString(), '{"rotations":[]}');
  const reloaded = heard('server.reloaded');
  child.kill('SIGHUP');
  await reloaded;
  const read = readChain((await httpRequest(url + KEYS, { ca })).body);
  const pinned = { first: { number: 0, key: before.newest.key.publicKey }, rotations: [] };
  const followed = read.ok ? followRotations(pinned, read.value) : read;
  if (!followed.ok) return t.fail(followed.reason);
  const { newest } = await loadAnswerKeys({ keys: join(dir, 'keys') });
  t.deepEqual(newestOf(followed.ring), { number: 1, key: newest.key.publicKey });
  t.true((await v2Client({ url, ca, answerKey: newest.key, hostname: 'nobody' }).update()).verified);
  await writeFile(join(dir, 'keys/rotations.json'), '{}');
  const failed = heard('server.reload-failed');
  child.kill('SIGHUP');
  await failed;
  t.true((await v2Client({ url, ca, answerKey: newest.key, hostname: 'nobody' }).update()).verified);
});
