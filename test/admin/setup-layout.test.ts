import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { layoutOf, serviceOwner } from '../../src/admin/setup-layout.ts';
import { scratchFolder } from '../support/scratch.ts';

test('with --dir everything is below that folder', (t) => {
  t.deepEqual(layoutOf('/srv/dome', '/etc/penguindome/server.yml'), {
    settings: '/srv/dome/server.yml',
    pki: '/srv/dome/pki',
    keys: '/srv/dome/keys',
    state: '/srv/dome/state',
    store: '/srv/dome/store',
    checks: '/srv/dome/checks.d',
  });
});

test('without --dir settings and keys are under /etc and data under /var/lib', (t) => {
  t.deepEqual(layoutOf(undefined, '/etc/penguindome/server.yml'), {
    settings: '/etc/penguindome/server.yml',
    pki: '/etc/penguindome/pki',
    keys: '/etc/penguindome/keys',
    state: '/var/lib/penguindome-server',
    store: '/var/lib/penguindome-server/store',
    checks: '/etc/penguindome/checks.d',
  });
});

test("files go to the service's user where root sets up a system that has one", async (t) => {
  const users = join(await scratchFolder(t), 'passwd');
  await writeFile(users, 'root:x:0:0::/root:/bin/sh\npenguindome-server:x:991:992::/:/usr/sbin/nologin\n');
  t.deepEqual(await serviceOwner(undefined, { root: true, users }), { uid: 991, gid: 992 });
  t.is(await serviceOwner('/srv/dome', { root: true, users }), undefined);
  t.is(await serviceOwner(undefined, { root: false, users }), undefined);
  await writeFile(users, 'root:x:0:0::/root:/bin/sh\n');
  t.is(await serviceOwner(undefined, { root: true, users }), undefined);
});
