import test, { type ExecutionContext } from 'ava';
import { httpRequest } from '../../support/http.ts';
import { basic, CHEAP } from '../../support/passwords.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

const PREFIXES = ['/penguindome/v1', '/PenguinDome/v1'];
const USERS = `users: {fred: {password: "${CHEAP}"}}\n`;

async function started(t: ExecutionContext, settings: object): Promise<TestServer> {
  return startTestServer(t, { settings: { v1: { enabled: true }, ...settings }, accounts: USERS });
}

const release = (url: string, headers: Record<string, string> = {}) =>
  httpRequest(`${url}/penguindome/v1/download_release`, { headers });
const pipe = (url: string, headers: Record<string, string> = {}, path = '/penguindome/v1/server_pipe/server/create') =>
  httpRequest(url + path, { method: 'POST', headers, body: 'data={}' });

test('where nothing is said of who may, nobody may, and a password is not asked for', async (t) => {
  const server = await started(t, {});
  for (const answer of [await release(server.url), await pipe(server.url, basic('fred', 'password'))]) {
    t.deepEqual([answer.status, answer.headers['www-authenticate']], [403, undefined]);
    t.is(String(answer.body), 'cannot let anybody in here: the server has not been told whom\n');
  }
  t.like(server.events('request.refused'), [
    { code: 'access-not-configured', detail: 'server_auth.download_release is not set' },
    { code: 'access-not-configured', detail: 'server_auth.pipe_create is not set' },
  ]);
});

test('both spellings of both endpoints are guarded, each by what is said of it', async (t) => {
  const server = await started(t, {
    server_auth: { download_release: { users: ['fred'] }, pipe_create: { ipranges: ['192.0.2.1'], users: ['fred'] } },
  });
  for (const prefix of PREFIXES) {
    const fred = basic('fred', 'password');
    const path = `${prefix}/server_pipe/server/create`;
    t.is((await httpRequest(`${server.url}${prefix}/download_release`, {})).status, 401);
    t.is((await httpRequest(`${server.url}${prefix}/download_release`, { headers: fred })).status, 404);
    t.is((await httpRequest(`${server.url}${prefix}/download_release`, { method: 'HEAD', headers: fred })).status, 404);
    t.is((await pipe(server.url, {}, path)).status, 401);
    t.is((await pipe(server.url, fred, path)).status, 501);
  }
});

test('with v1 off there is nothing to log in to', async (t) => {
  const server = await startTestServer(t, { settings: { server_auth: { download_release: { users: ['fred'] } } } });
  t.is((await release(server.url)).status, 404);
});

test('an address that lets in needs no password, and a wrong one does no harm', async (t) => {
  const server = await started(t, { server_auth: { download_release: { ipranges: ['127.0.0.0/8'] } } });
  t.is((await release(server.url)).status, 404);
  t.is((await release(server.url, basic('fred', 'wrong'))).status, 404);
  t.is(server.events('login.failed').length, 0);
  t.like(server.events('login.by-address')[0], { endpoint: 'download_release', remote: '127.0.0.1' });
});

test('an address that does not let in gets 401 where nobody has a password either', async (t) => {
  const server = await started(t, { server_auth: { download_release: { ipranges: ['192.0.2.1'] } } });
  t.is((await release(server.url)).status, 401);
  t.is((await release(server.url, basic('fred', 'password'))).status, 401);
});

test('an IPv4 address is known on a port of IPv6 too', async (t) => {
  const server = await started(t, {
    ports: [{ port: 0, host: '::', tls: false }],
    server_auth: { download_release: { ipranges: ['127.0.0.1'] } },
  });
  t.is((await release(server.url)).status, 404);
  t.is((await release(server.url.replace('127.0.0.1', '[::1]'))).status, 401);
  t.true(
    await server.reload({
      v1: { enabled: true },
      ports: [{ port: 0, host: '::', tls: false }],
      server_auth: { download_release: { ipranges: ['0:0::1'] } },
    }),
  );
  t.is((await release(server.url.replace('127.0.0.1', '[::1]'))).status, 404);
  t.is((await release(server.url)).status, 401);
});

test('behind a proxy it is the client whose address counts, and only a trusted one can say it', async (t) => {
  const auth = { server_auth: { download_release: { ipranges: ['198.51.100.0/24', '2001:db8::/32'] } } };
  const trusting = await started(t, { ...auth, trusted_proxies: ['127.0.0.1'] });
  const seen = async ({ url }: TestServer, forwarded: string) =>
    (await release(url, { 'x-forwarded-for': forwarded })).status;
  for (const address of [
    '198.51.100.9',
    '::ffff:198.51.100.9',
    '::ffff:c633:6409',
    '2001:DB8::9',
    '[2001:db8::9]:443',
  ]) {
    t.is(await seen(trusting, address), 404, address);
  }
  for (const address of ['203.0.113.9', '198.51.100.9, 203.0.113.9', '', 'nonsense']) {
    t.is(await seen(trusting, address), 401, address);
  }
  t.is(await seen(await started(t, auth), '198.51.100.9'), 401);
});
