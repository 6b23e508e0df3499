import test from 'ava';
import { guestSession } from '../../../src/agent/collectors/guest-session.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { hostInFolder, memory, plant } from './host-in-folder.ts';

const LINK = '/etc/systemd/system/display-manager.service';
const under = (manager: string, files: Record<string, string> = {}) => ({
  '/etc/passwd': 'root:x:0:0::/root:/bin/bash\n',
  [LINK]: `-> /lib/systemd/system/${manager}.service`,
  ...files,
});
const ACCOUNT = { '/usr/bin/guest-account': '#!/bin/sh\n' };
const seat = (value: string, section = 'Seat:*') => `[${section}]\nallow-guest=${value}\n`;
const XGUEST = {
  '/etc/passwd': 'xguest:x:1001:1001:Guest:/home/xguest:/bin/bash\n',
  '/etc/security/sepermit.conf': '# comment\nxguest:exclusive\n',
};

for (const [title, files, expected] of [
  ['no display manager', { '/etc/passwd': '' }, false],
  ['GDM', under('gdm3'), false],
  ['SDDM', under('sddm'), false],
  ['greetd', under('greetd'), false],
  ['a display manager that we do not know', under('mdm'), 'unknown'],
  ["Debian's LightDM, which has nothing that makes guests' accounts", under('lightdm'), false],
  ["Ubuntu's LightDM where nobody forbids it", under('lightdm', ACCOUNT), true],
  [
    "Ubuntu's LightDM as it is shipped",
    under('lightdm', { ...ACCOUNT, '/usr/share/lightdm/lightdm.conf.d/50-disable-guest.conf': seat('false') }),
    false,
  ],
  [
    'one that is allowed again',
    under('lightdm', {
      ...ACCOUNT,
      '/usr/share/lightdm/lightdm.conf.d/50-disable-guest.conf': seat('false'),
      '/etc/lightdm/lightdm.conf.d/90-guest.conf': seat('true'),
    }),
    true,
  ],
  [
    'one that lightdm.conf forbids, which counts most',
    under('lightdm', {
      ...ACCOUNT,
      '/etc/lightdm/lightdm.conf.d/90-guest.conf': seat('true'),
      '/etc/lightdm/lightdm.conf': seat('false'),
    }),
    false,
  ],
  [
    'one that is forbidden in the old section',
    under('lightdm', { ...ACCOUNT, '/etc/lightdm/lightdm.conf': seat('false', 'SeatDefaults') }),
    false,
  ],
  [
    'one that is allowed on a seat of its own',
    under('lightdm', { ...ACCOUNT, '/etc/lightdm/lightdm.conf': `${seat('false')}${seat('true', 'Seat:seat1')}` }),
    true,
  ],
  [
    'a program for the accounts by its path',
    under('lightdm', {
      '/opt/guest': '#!/bin/sh\n',
      '/etc/lightdm/lightdm.conf': '[LightDM]\nguest-account-script=/opt/guest\n',
    }),
    true,
  ],
  ["Fedora's xguest", under('gdm', XGUEST), true],
  [
    'xguest with a line taken out',
    under('gdm', { ...XGUEST, '/etc/security/sepermit.conf': '#xguest:exclusive\n' }),
    false,
  ],
  [
    'xguest without a shell',
    under('gdm', { ...XGUEST, '/etc/passwd': 'xguest:x:1001:1001::/:/usr/sbin/nologin\n' }),
    false,
  ],
  [
    'garbage',
    under('lightdm', { ...ACCOUNT, '/etc/lightdm/lightdm.conf': '\u0000\n[Seat:*\nallow-guest=false' }),
    true,
  ],
] as const) {
  test(`guests: ${title}`, async (t) => {
    const folder = await scratchFolder(t);
    await plant(folder, { ...files });
    t.deepEqual(await guestSession.collect(hostInFolder(t, folder), memory()), { enabled: expected });
  });
}

test('what can no longer be told is told as it was, with the time of it', async (t) => {
  const tools = memory();
  const [before, after] = [await scratchFolder(t), await scratchFolder(t)];
  await plant(before, under('gdm'));
  await plant(after, under('mdm'));
  await guestSession.collect(hostInFolder(t, before), tools);
  t.deepEqual(await guestSession.collect(hostInFolder(t, after), tools), {
    enabled: false,
    cached_at: tools.kept.get('enabled')?.at.toISOString(),
  });
});
