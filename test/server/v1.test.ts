import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { loadJudge } from '../../src/audit/judge.ts';
import { days } from '../../src/core/duration.ts';
import { isFields, type Value } from '../../src/core/value.ts';
import { generateOrderKey } from '../../src/crypto/openpgp.ts';
import { addV1Release } from '../../src/settings/v1-releases.ts';
import type { Store } from '../../src/store/port.ts';
import { canonicalJson } from '../../src/wire/v2/digest.ts';
import { type HttpAnswer, httpRequest } from '../support/http.ts';
import { scratchFolder } from '../support/scratch.ts';
import { fixtureClientKey, startTestServer, type TestServer } from '../support/server.ts';
import { forEachStore } from '../support/stores.ts';
import { FORM, fleetKey, signV1, v1Form } from '../support/v1-client.ts';
import { enrolledClient } from '../support/v2-client.ts';

const strangerKey = await generateOrderKey({ userId: 'penguindome-client', createdAt: new Date(Date.now() - days(1)) });

const PREFIXES = ['/penguindome/v1', '/PenguinDome/v1'];
/** The recordings are old. */
const OLD = { v1: { enabled: true, signature_age: '3650d' } };
const FIXTURES = 'test/fixtures/penguindome-v1';

interface Recording {
  method: string;
  path: string;
  headers: Record<string, string>;
}

async function replay(server: TestServer, name: string, path?: string): Promise<HttpAnswer> {
  const recorded: Recording = JSON.parse(await readFile(`${FIXTURES}/${name}.http.json`, 'utf8'));
  const body = await readFile(`${FIXTURES}/${name}.body`);
  const { method, headers } = recorded;
  return httpRequest(server.url + (path ?? recorded.path), { method, headers, body });
}

async function sentData(name: string): Promise<Record<string, unknown>> {
  const body = new URLSearchParams(await readFile(`${FIXTURES}/${name}.body`, 'utf8'));
  return JSON.parse(body.get('data') ?? '');
}

/** As it would be written back as JSON, for comparing with what was sent: dates as the sender wrote them. */
function asSent(value: Value | undefined, sent: unknown): unknown {
  if (value instanceof Date) {
    return typeof sent === 'string' && new Date(sent).getTime() === value.getTime() ? sent : value.toISOString();
  }
  if (Array.isArray(value)) return value.map((member, i) => asSent(member, Array.isArray(sent) ? sent[i] : undefined));
  if (!isFields(value)) return value;
  const there = typeof sent === 'object' && sent !== null ? sent : {};
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, asSent(member, Reflect.get(there, key))]),
  );
}

const textOf = ({ status, body }: HttpAnswer): string => `${status} ${body}`;

forEachStore((kind, test, prepare) => {
  async function started(
    t: ExecutionContext,
    settings: Record<string, unknown> = OLD,
  ): Promise<{ server: TestServer; store: Store }> {
    const store = await (await prepare(t)).open();
    const { judge } = await loadJudge(['checks.d']);
    return {
      store,
      server: await startTestServer(t, {
        store,
        settings,
        judge,
        v1Keys: (await fixtureClientKey()) + fleetKey.publicKey,
      }),
    };
  }

  const post = async (server: TestServer, endpoint: string, message: unknown, at?: Date): Promise<HttpAnswer> =>
    httpRequest(`${server.url}/penguindome/v1/${endpoint}`, {
      method: 'POST',
      headers: FORM,
      body: await v1Form(message, at === undefined ? {} : { at }),
    });

  test(`${kind}: every request of an original client gets its answer`, async (t) => {
    const { server } = await started(t);
    t.is(textOf(await replay(server, '01-update')), '200 {"status":"current"}');
    t.is(textOf(await replay(server, '02-submit')), '200 ok');
    t.is(textOf(await replay(server, '03-submit')), '200 ok');
    t.is((await replay(server, '04-acknowledge_patch')).status, 404);
    for (const name of ['05-server_pipe_client_open', '06-server_pipe_client_send']) {
      t.is((await replay(server, name)).status, 501);
    }
    for (const name of ['07-server_pipe_client_receive', '08-server_pipe_client_close']) {
      t.is((await replay(server, name)).status, 501);
    }
    t.is(textOf(await replay(server, '09-submit')), '200 ok');
    for (const prefix of PREFIXES) {
      t.is((await httpRequest(`${server.url}${prefix}/download_release`, {})).status, 403);
    }
  });

  test(`${kind}: the recorded client gets release and patch, and its recorded acknowledgement is one of that patch`, async (t) => {
    const state = await scratchFolder(t);
    const { server, store } = await started(t, { ...OLD, state });
    const { hostname, id } = await sentData('04-acknowledge_patch');
    const files = [{ path: 'client/x', mode: 0o644, content: 'eA==' }];
    const hosts = { pending_hosts: [String(hostname), 'another'], completed_hosts: [], cancelled_hosts: [] };
    t.true(await store.patches.insert({ id: String(id), files, ...hosts, submitted_at: new Date() }));
    await mkdir(join(state, 'v1-releases'));
    const message = '-----BEGIN PGP MESSAGE-----\n\n"\\\n';
    await addV1Release(state, { number: 1_700_000_000, tar: Buffer.from('tar'), message }, undefined);
    t.deepEqual(JSON.parse((await replay(server, '01-update')).body.toString()), {
      status: 'out-of-date',
      current_release: 1_700_000_000,
      update: message,
      patches: [{ id, files }],
    });
    t.is(textOf(await replay(server, '04-acknowledge_patch')), '200 ok');
    t.like(await store.patches.find(String(id)), { pending_hosts: ['another'], completed_hosts: [hostname] });
  });

  test(`${kind}: of many large patches as many are given as fit, and the rest when these are acknowledged`, async (t) => {
    const { server, store } = await started(t);
    const hostname = 'penguin-02';
    const hosts = { pending_hosts: [hostname], completed_hosts: [], cancelled_hosts: [], submitted_at: new Date() };
    const ids = [1, 2, 3, 4].map((number) => `6563a1b200000000000000a${number}`);
    for (const id of ids) {
      const files = [{ path: 'client/x', mode: 0o644, content: 'x'.repeat(5 * 1024 * 1024) }];
      await store.patches.insert({ id, files, ...hosts });
    }
    const given = async (old_release: number): Promise<string[]> => {
      const { patches } = JSON.parse((await post(server, 'update', { hostname, old_release })).body.toString());
      return patches.map(({ id }: { id: string }) => id);
    };
    t.deepEqual(await given(1), ids.slice(0, 2));
    for (const id of ids.slice(0, 2)) await post(server, 'acknowledge_patch', { hostname, id });
    t.deepEqual(await given(2), ids.slice(2));
  });

  test(`${kind}: what an original client submitted is stored field by field`, async (t) => {
    const { server, store } = await started(t);
    for (const name of ['02-submit', '09-submit']) {
      t.is((await replay(server, name)).status, 200);
      const sent = await sentData(name);
      const host = await store.hosts.find('penguin-01');
      const { submitted_at, ...plugins } = host?.plugins ?? {};
      t.true(submitted_at instanceof Date);
      t.is(canonicalJson(asSent(plugins, sent['plugins'])), canonicalJson(sent['plugins']), name);
      t.is(host?.collected_at?.getTime(), Date.parse(String(sent['collected_at'])));
    }
    t.is((await replay(server, '03-submit')).status, 200);
    const sent = await sentData('03-submit');
    const host = await store.hosts.find('penguin-01');
    const commands = Object.entries(host?.commands ?? {}).map(([name, result]) => {
      const { submitted_at, ...rest } = isFields(result) ? result : {};
      t.deepEqual(submitted_at, host?.submitted_at, name);
      return [name, rest];
    });
    t.is(canonicalJson(Object.fromEntries(commands)), canonicalJson(sent['commands']));
    t.truthy(host?.plugins?.['firewall']);
    t.truthy(host?.checks?.results['firewall-disabled']);
    t.true((await store.trail.history('penguin-01', { limit: 1000 })).length > 0);
  });

  test(`${kind}: the same signed request is accepted once, whatever the prefix, the endpoint and the armor`, async (t) => {
    const { server, store } = await started(t);
    t.is((await replay(server, '02-submit')).status, 200);
    const stored = await store.hosts.find('penguin-01');
    for (const prefix of PREFIXES) {
      for (const endpoint of ['submit', 'update', 'acknowledge_patch']) {
        t.is((await replay(server, '02-submit', `${prefix}/${endpoint}`)).status, 409, `${prefix}/${endpoint}`);
      }
    }
    const form = new URLSearchParams(await readFile(`${FIXTURES}/02-submit.body`, 'utf8'));
    const armored = (form.get('signature') ?? '').replace('SIGNATURE-----\n', 'SIGNATURE-----\nComment: other\n');
    const body = new URLSearchParams({ data: form.get('data') ?? '', signature: armored }).toString();
    const url = `${server.url}/penguindome/v1/submit`;
    t.is((await httpRequest(url, { method: 'POST', headers: FORM, body })).status, 409);
    t.deepEqual(await store.hosts.find('penguin-01'), stored);
  });

  test(`${kind}: a request that was refused for its shape is no replay`, async (t) => {
    const { server } = await started(t);
    const body = await v1Form({ hostname: 'penguin-01', nothing: 1 });
    for (const prefix of PREFIXES) {
      const url = `${server.url}${prefix}/submit`;
      t.is((await httpRequest(url, { method: 'POST', headers: FORM, body })).status, 400);
    }
  });

  test(`${kind}: by default a signature older than a day, or more ahead, is refused`, async (t) => {
    const { server, store } = await started(t, { v1: { enabled: true } });
    const now = Date.now();
    const report = { hostname: 'penguin-01', plugins: { a: 1 } };
    t.is((await replay(server, '02-submit')).status, 403);
    t.is((await post(server, 'submit', report, new Date(now - 86_460_000))).status, 403);
    t.is((await post(server, 'submit', report, new Date(now + 86_460_000))).status, 403);
    t.is(await store.hosts.count(), 0);
    t.is((await post(server, 'submit', report, new Date(now - 86_340_000))).status, 200);
    t.is((await post(server, 'submit', report, new Date(now + 60_000))).status, 200);
  });

  test(`${kind}: a host with patches gets them, and acknowledges them`, async (t) => {
    const { server, store } = await started(t);
    const id = '5f0c0ffee0c0ffee0c0ffee0';
    const files = [{ path: 'plugins/x.py', mode: 0o755, content: 'eA==' }];
    await store.upkeep.import(
      (async function* () {
        for await (const document of store.upkeep.export()) yield document;
        yield {
          collection: 'patches',
          document: { _id: { $oid: id }, files, pending_hosts: ['penguin-01'], completed_hosts: [] },
        };
      })(),
      (await store.state()).epoch,
    );
    const update = await post(server, 'update', { hostname: 'penguin-01', old_release: 0 });
    t.deepEqual(JSON.parse(update.body.toString()), { status: 'current', patches: [{ id, files }] });
    t.is(textOf(await replay(server, '04-acknowledge_patch')), '200 ok');
    t.is(textOf(await post(server, 'acknowledge_patch', { hostname: 'penguin-01', id })), '200 ok');
    t.deepEqual(await store.patches.pendingFor('penguin-01'), []);
    const other = await post(server, 'acknowledge_patch', { hostname: 'penguin-01', id: 'f'.repeat(24) });
    t.is(other.status, 404);
  });

  test(`${kind}: whoever holds the fleet's key cannot speak for a host of v2, forgotten or not`, async (t) => {
    const { server, store } = await started(t);
    const client = await enrolledClient(server, 'penguin-01');
    await client.submit({ 'plugins.a': 1 });
    const before = await store.hosts.find('penguin-01');
    const attempts: [string, object][] = [
      ['submit', { hostname: 'penguin-01', plugins: { a: 2 } }],
      ['update', { hostname: 'penguin-01', old_release: 0 }],
      ['acknowledge_patch', { hostname: 'penguin-01', id: 'f'.repeat(24) }],
    ];
    for (const [endpoint, message] of attempts) t.is((await post(server, endpoint, message)).status, 403, endpoint);
    t.deepEqual(await store.hosts.find('penguin-01'), before);
    t.is(server.events('request.refused').filter(({ code }) => code === 'downgraded-identity').length, 3);
    t.is(server.events('issue.opened').filter(({ issue }) => issue === 'downgraded-identity').length, 1);
    await store.hosts.forget('penguin-01', new Date());
    t.is((await post(server, 'submit', { hostname: 'penguin-01', plugins: { a: 3 } })).status, 403);
    t.is(await store.hosts.count(), 0);
  });

  test(`${kind}: each command keeps the time at which it came; plugins are replaced as a whole`, async (t) => {
    const { server, store } = await started(t);
    const hostname = 'penguin-02';
    await post(server, 'submit', { hostname, plugins: { a: 1, b: 2 }, commands: { one: { output: '1' } } });
    const first = await store.hosts.find(hostname);
    await post(server, 'submit', { hostname, plugins: { b: 3 }, commands: { two: { output: '2' } } });
    const second = await store.hosts.find(hostname);
    t.deepEqual(second?.commands?.['one'], first?.commands?.['one']);
    t.deepEqual(second?.commands?.['two'], { output: '2', submitted_at: second?.submitted_at });
    t.deepEqual(second?.plugins, { b: 3, submitted_at: second?.submitted_at });
    const trail = await store.trail.history(hostname, { limit: 10 });
    t.deepEqual(trail.map(({ key, type }) => `${type} ${key}`).sort(), [
      'add commands.two',
      'change plugins.b',
      'delete plugins.a',
    ]);
  });

  test(`${kind}: odd keys come back as they were sent`, async (t) => {
    const { server, store } = await started(t);
    const plugins = String.raw`{"p":{"$where":"1","a.b":{"c\u0000d":[{"$gt":""}]},"__proto__":{"x":1},"n":"a\u0000b"},"$x.y":1}`;
    const data = `{"hostname":"penguin-02","plugins":${plugins},"commands":{"__proto__":{"output":"1"}}}`;
    t.is(textOf(await post(server, 'submit', data)), '200 ok');
    const host = await store.hosts.find('penguin-02');
    const { submitted_at: _, ...stored } = host?.plugins ?? {};
    t.is(canonicalJson(stored), canonicalJson(JSON.parse(plugins)));
    t.true(Object.hasOwn(host?.commands ?? {}, '__proto__'));
  });

  test(`${kind}: a report that would make the host too large is refused whole, by 400`, async (t) => {
    const { server, store } = await started(t, { ...OLD, limits: { document: 50_000 } });
    const hostname = 'penguin-02';
    await post(server, 'submit', { hostname, plugins: { a: 1 } });
    const before = await store.hosts.find(hostname);
    t.is((await post(server, 'submit', { hostname, commands: { big: { output: 'x'.repeat(60_000) } } })).status, 400);
    t.deepEqual(await store.hosts.find(hostname), before);
  });

  test(`${kind}: while v1 is off nothing of it is there`, async (t) => {
    const { server, store } = await started(t, { v1: { enabled: false } });
    for (const prefix of PREFIXES) {
      for (const endpoint of ['submit', 'update', 'acknowledge_patch', 'server_pipe/client/open']) {
        t.is((await replay(server, '02-submit', `${prefix}/${endpoint}`)).status, 404);
        const got = await httpRequest(`${server.url}${prefix}/${endpoint}`, {});
        t.deepEqual([got.status, got.headers.allow], [404, undefined], 'no other method shows that the path is known');
      }
    }
    t.is(await store.hosts.count(), 0);
  });

  test(`${kind}: data without a signature is refused so that the client keeps it`, async (t) => {
    const { server } = await started(t);
    const url = `${server.url}/penguindome/v1/submit`;
    const data = JSON.stringify({ hostname: 'penguin-02', plugins: { a: 1 } });
    const bodies = [
      new URLSearchParams({ data }).toString(),
      new URLSearchParams({ data, signature: '' }).toString(),
      new URLSearchParams({ data, signature: 'no armor' }).toString(),
      new URLSearchParams({ data, signature: await signV1(`${data} `) }).toString(),
      new URLSearchParams({
        data,
        signature: await signV1(data, { key: strangerKey.secretKey }),
      }).toString(),
    ];
    for (const body of bodies) t.is((await httpRequest(url, { method: 'POST', headers: FORM, body })).status, 403);
  });
});
