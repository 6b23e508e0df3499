import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { updates } from '../../../../src/agent/collectors/updates/index.ts';
import { days } from '../../../../src/core/duration.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { hostInFolder, memory, plant } from '../host-in-folder.ts';
import { ARCH, DEBIAN, FEDORA, told } from './machine.ts';

const LIST = { '/var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_InRelease': 'Origin: Debian\n' };
const after = (age: number) => new Date(Date.now() + age);

for (const [age, expected] of [
  [0, 'under-2-days'],
  [days(2) - 60_000, 'under-2-days'],
  [days(3), 'under-7-days'],
  [days(8), 'under-30-days'],
  [days(31), 'older'],
] as const) {
  test(`package data of ${(age / days(1)).toFixed(1)} days ago are ${expected}`, async (t) => {
    t.like(await told(t, { ...DEBIAN, ...LIST }, after(age)), { metadata_age: expected });
    t.like(await told(t, { ...ARCH, '/var/lib/pacman/sync/core.db': '' }, after(age)), { metadata_age: expected });
  });
}

test('a machine that never asked says so', async (t) => {
  for (const system of [DEBIAN, ARCH, FEDORA]) t.like(await told(t, system), { metadata_age: 'never' });
});

const REPOSITORIES = { '/etc/yum.repos.d/x.repo': '[fedora]\nenabled=1\n[updates]\nenabled=1\n[source]\nenabled=0\n' };
const cached = (id: string) => `/var/cache/libdnf5/${id}-0123456789abcdef/repodata/repomd.xml`;

test('of several repositories the one that was asked longest ago counts', async (t) => {
  const folder = await scratchFolder(t);
  await plant(folder, { ...FEDORA, ...REPOSITORIES, [cached('fedora')]: '', [cached('updates')]: '' });
  const old = new Date(Date.now() - days(9));
  await utimes(join(folder, cached('updates')), old, old);
  t.like(await updates.collect(hostInFolder(t, folder), memory()), { metadata_age: 'under-30-days' });
});

test('where dnf has no data of a repository at all, the age of the others says nothing', async (t) => {
  t.like(await told(t, { ...FEDORA, ...REPOSITORIES, [cached('fedora')]: '' }), {
    metadata_age: 'unknown',
    reasons: { metadata_age: 'no data of the repository updates are there' },
  });
});

test('on another system it is unknown', async (t) => {
  t.like(await told(t, { '/etc/os-release': 'ID=alpine\n' }), { metadata_age: 'unknown' });
});
