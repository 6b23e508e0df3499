import { readFile } from 'node:fs/promises';
import test from 'ava';
import { osInfo } from '../../../src/agent/collectors/os-info.ts';
import { parseOsRelease } from '../../../src/agent/collectors/os-release.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { hostInFolder, plant, thisHost } from './host-in-folder.ts';

const SYSTEMS = {
  'debian-12': { distname: 'Debian GNU/Linux', version: '12' },
  'debian-13': { distname: 'Debian GNU/Linux', version: '13' },
  arch: { distname: 'Arch Linux', version: 'rolling' },
};

for (const [name, expected] of Object.entries(SYSTEMS)) {
  test(`${name} is ${expected.distname} ${expected.version}`, async (t) => {
    const folder = await scratchFolder(t);
    await plant(folder, { '/usr/lib/os-release': await readFile(`test/fixtures/os-release/${name}`, 'utf8') });
    t.deepEqual(await osInfo.collect(hostInFolder(t, folder)), expected);
  });
}

test('a file under /etc goes before the one under /usr', async (t) => {
  const folder = await scratchFolder(t);
  await plant(folder, { '/etc/os-release': 'NAME=Mine\nVERSION_ID=1\n', '/usr/lib/os-release': 'NAME=Theirs\n' });
  t.deepEqual(await osInfo.collect(hostInFolder(t, folder)), { distname: 'Mine', version: '1' });
});

test('a testing release without a version goes by its code name', async (t) => {
  const folder = await scratchFolder(t);
  await plant(folder, { '/etc/os-release': 'NAME="Debian GNU/Linux"\nVERSION_CODENAME=forky\n' });
  t.deepEqual(await osInfo.collect(hostInFolder(t, folder)), { distname: 'Debian GNU/Linux', version: 'forky' });
});

test('a system that does not say what it is is unknown', async (t) => {
  t.is(await osInfo.collect(hostInFolder(t, await scratchFolder(t))), 'unknown');
});

test('quotes and escapes of os-release are undone', (t) => {
  const fields = parseOsRelease('# comment\nNAME="A \\"B\\" \\$C"\nID=\'x y\'\nVERSION_ID=\nBAD LINE\n');
  t.deepEqual(
    [...fields],
    [
      ['NAME', 'A "B" $C'],
      ['ID', 'x y'],
      ['VERSION_ID', ''],
    ],
  );
});

test('this machine says what it is', async (t) => {
  const expected = parseOsRelease(await readFile('/etc/os-release', 'utf8'));
  t.like(await osInfo.collect(thisHost(t)), { distname: expected.get('NAME') });
});
