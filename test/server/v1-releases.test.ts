import { mkdir, readdir, readlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import test from 'ava';
import { addV1Release } from '../../src/settings/v1-releases.ts';
import { httpRequest } from '../support/http.ts';
import { succeed } from '../support/penguindome.ts';
import { scratchFolder } from '../support/scratch.ts';
import { startTestServer } from '../support/server.ts';
import { installServer, runServer, until } from '../support/server-program.ts';
import { FORM, fleetKey, v1Form } from '../support/v1-client.ts';

const KEYS = 'test/fixtures/penguindome-v1';

test('every worker of a server serves a release as soon as it is made', async (t) => {
  const site = await installServer(t);
  const dome = (...args: string[]) => succeed(['--config', site.config, ...args]);
  await dome('migrate', '--server-key', `${KEYS}/server-secret.asc`, '--client-key', `${KEYS}/client-public.asc`);
  await dome('settings', 'set', 'server_auth.download_release.ipranges', '[127.0.0.1]');
  await dome('settings', 'set', 'processes', '2');
  await runServer(t, site);
  const url = `${site.localUrl}/penguindome/v1/download_release`;
  t.is((await httpRequest(url, {})).status, 404);
  const dir = await scratchFolder(t);
  for (const part of ['client', 'penguindome']) {
    await mkdir(join(dir, part));
    await writeFile(join(dir, part, 'x.py'), 'x = 1\n');
  }
  const { v1 } = JSON.parse(await dome('--json', 'release', 'publish', '--v1', dir, '--yes'));
  // a connection of its own each: they are dealt out in turn
  for (let time = 0; time < 4; time++) {
    const { status, headers, body } = await httpRequest(url, {});
    t.deepEqual([status, headers.etag, body.length], [200, `"${v1.release}"`, v1.size]);
  }
});

test('whoever goes away in the middle of a release leaves no open file behind', async (t) => {
  const state = await scratchFolder(t);
  await mkdir(join(state, 'v1-releases'));
  const large = Buffer.alloc(8 * 1024 * 1024, 'x');
  await addV1Release(state, { number: 7, tar: large, message: large.toString() }, undefined);
  const server = await startTestServer(t, {
    settings: { state, server_auth: { download_release: { ipranges: ['127.0.0.1'] } } },
    v1Keys: fleetKey.publicKey,
  });
  const body = await v1Form({ hostname: 'penguin-02', old_release: 0 });
  const base = `${server.url}/penguindome/v1`;
  await breakOff(`${base}/download_release`, { method: 'GET' });
  await breakOff(`${base}/update`, { method: 'POST', headers: FORM }, body);
  await until(async () => (await openFilesIn(state)).length === 0);
  t.is(server.events('release.sent').length, 1);
  t.like(server.events('update.answered')[0], { newer: 7 });
});

/** Reads the beginning of an answer, and is gone. */
function breakOff(
  url: string,
  options: { method: string; headers?: Record<string, string> },
  body = '',
): Promise<void> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { ...options, agent: false }, (response) => {
      response.once('data', () => {
        response.destroy();
        resolve();
      });
    });
    asking.once('error', reject);
    asking.end(body);
  });
}

async function openFilesIn(folder: string): Promise<string[]> {
  const links = await Promise.all(
    (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
  );
  return links.filter((path) => path.startsWith(folder));
}
