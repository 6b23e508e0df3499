import test from 'ava';
import { autologinOf } from '../../../../src/agent/collectors/session/getty-logins.ts';
import { session } from '../../../../src/agent/collectors/session/index.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { hostInFolder, memory, plant } from '../host-in-folder.ts';

async function says(t: Parameters<typeof hostInFolder>[0], files: Record<string, string>) {
  const folder = await scratchFolder(t);
  await plant(folder, files);
  return JSON.parse(JSON.stringify(await session.collect(hostInFolder(t, folder), memory()))).auto_login;
}
const under = (manager: string, files: Record<string, string> = {}) => ({
  '/etc/systemd/system/display-manager.service': `-> /usr/lib/systemd/system/${manager}.service`,
  ...files,
});

/** The shipped file of Debian's gdm3, shortened. */
const GDM = `# GDM configuration storage
[daemon]
# Uncomment the line below to force the login screen to use Xorg
#WaylandEnable=false

# Enabling automatic login
#  AutomaticLoginEnable = true
#  AutomaticLogin = user1

[security]
`;
const gdmOn = '[daemon]\nAutomaticLoginEnable = True\nAutomaticLogin = alice\n';
const GETTY = "[Service]\nExecStart=-/sbin/agetty -o '-- \\\\u' --noreset --noclear - $TERM\nType=idle\n";
const DROP_IN = '[Service]\nExecStart=\nExecStart=-/sbin/agetty --noclear --autologin root %I $TERM\n';

for (const [title, files, expected] of [
  ['GDM as it is shipped', under('gdm3', { '/etc/gdm3/daemon.conf': GDM }), []],
  ["GDM with its switch on, in Debian's file", under('gdm3', { '/etc/gdm3/daemon.conf': gdmOn }), ['gdm alice']],
  ["GDM in Ubuntu's and Fedora's", under('gdm', { '/etc/gdm/custom.conf': gdmOn }), ['gdm alice']],
  ['GDM with a name and no switch', under('gdm', { '/etc/gdm/custom.conf': '[daemon]\nAutomaticLogin=alice\n' }), []],
  [
    'GDM with a switch and no name',
    under('gdm', { '/etc/gdm/custom.conf': '[daemon]\nAutomaticLoginEnable=true\n' }),
    [],
  ],
  [
    'GDM after a time',
    under('gdm3', { '/etc/gdm3/custom.conf': '[daemon]\nTimedLoginEnable=true\nTimedLogin=bob\nTimedLoginDelay=10\n' }),
    ['gdm bob'],
  ],
  [
    'GDM with its switch in another section',
    under('gdm', { '/etc/gdm/custom.conf': gdmOn.replace('daemon', 'security') }),
    [],
  ],
  ["GDM's file under another display manager", under('sddm', { '/etc/gdm/custom.conf': gdmOn }), []],
  [
    'SDDM',
    under('sddm', { '/etc/sddm.conf.d/autologin.conf': '[Autologin]\nUser=alice\nSession=plasma\n' }),
    ['sddm alice'],
  ],
  [
    'SDDM where sddm.conf takes it back',
    under('sddm', { '/etc/sddm.conf.d/a.conf': '[Autologin]\nUser=alice\n', '/etc/sddm.conf': '[Autologin]\nUser=\n' }),
    [],
  ],
  [
    "SDDM's drop-in of the distribution",
    under('sddm', { '/usr/lib/sddm/sddm.conf.d/live.conf': '[Autologin]\nUser=live\n' }),
    ['sddm live'],
  ],
  ['LightDM', under('lightdm', { '/etc/lightdm/lightdm.conf': '[Seat:*]\nautologin-user=alice\n' }), ['lightdm alice']],
  [
    'LightDM in the old section',
    under('lightdm', { '/etc/lightdm/lightdm.conf.d/9.conf': '[SeatDefaults]\nautologin-user=alice\n' }),
    ['lightdm alice'],
  ],
  [
    'LightDM with a guest',
    under('lightdm', { '/etc/lightdm/lightdm.conf': '[Seat:*]\nautologin-guest=true\n' }),
    ['lightdm guest'],
  ],
  ['LightDM as it is shipped', under('lightdm', { '/etc/lightdm/lightdm.conf': '[Seat:*]\n#autologin-user=\n' }), []],
  [
    'greetd',
    under('greetd', {
      '/etc/greetd/config.toml':
        '[default_session]\ncommand = "agreety"\nuser = "_greetd"\n[initial_session]\ncommand = "sway"\nuser = "alice"\n',
    }),
    ['greetd alice'],
  ],
  [
    'greetd without a first session',
    under('greetd', { '/etc/greetd/config.toml': '[default_session]\ncommand = "agreety"\nuser = "_greetd"\n' }),
    [],
  ],
  ['LXDM', under('lxdm', { '/etc/lxdm/lxdm.conf': '[base]\n# autologin=dgod\nautologin=alice\n' }), ['lxdm alice']],
  [
    'a text console',
    {
      '/usr/lib/systemd/system/getty@.service': GETTY,
      '/etc/systemd/system/getty@tty1.service.d/autologin.conf': DROP_IN,
    },
    ['getty@tty1 root'],
  ],
  ['all text consoles', { '/etc/systemd/system/getty@.service.d/autologin.conf': DROP_IN }, ['getty@ root']],
  [
    'a serial line by a unit of its own',
    { '/etc/systemd/system/serial-getty@ttyS0.service': DROP_IN },
    ['serial-getty@ttyS0 root'],
  ],
  ['text consoles as they are', { '/usr/lib/systemd/system/getty@.service': GETTY }, []],
  [
    'a drop-in that a later one takes back',
    {
      '/etc/systemd/system/getty@tty1.service.d/a.conf': DROP_IN,
      '/etc/systemd/system/getty@tty1.service.d/b.conf': '[Service]\nExecStart=\nExecStart=-/sbin/agetty %I $TERM\n',
    },
    [],
  ],
  [
    'a drop-in that is masked',
    {
      '/usr/lib/systemd/system/getty@tty1.service.d/a.conf': DROP_IN,
      '/etc/systemd/system/getty@tty1.service.d/a.conf': '-> /dev/null',
    },
    [],
  ],
  [
    'both',
    under('lightdm', {
      '/etc/lightdm/lightdm.conf': '[Seat:*]\nautologin-user=alice\n',
      '/etc/systemd/system/getty@tty1.service.d/a.conf': DROP_IN,
    }),
    ['getty@tty1 root', 'lightdm alice'],
  ],
  ['nothing at all', {}, []],
  [
    'garbage',
    under('gdm', { '/etc/gdm/custom.conf': '\u0000[daemon\nAutomaticLoginEnable=true\n=\n[]\nAutomaticLogin' }),
    [],
  ],
] as const) {
  test(`logged in automatically: ${title}`, async (t) => {
    const { enabled, logins } = await says(t, { ...files });
    t.deepEqual(
      logins.map(({ by, user }: { by: string; user: string }) => `${by} ${user}`),
      [...expected],
    );
    t.is(enabled, expected.length > 0);
  });
}

test('a display manager that we do not know cannot be told, but a text console can', async (t) => {
  t.like(await says(t, under('nodm')), { enabled: 'unknown', logins: [] });
  const files = under('nodm', { '/etc/systemd/system/getty@tty1.service.d/a.conf': DROP_IN });
  t.like(await says(t, files), { enabled: true, logins: [{ by: 'getty@tty1', user: 'root' }] });
});

test('agetty logs in whom its options name', (t) => {
  for (const [command, expected] of [
    ['-/sbin/agetty --autologin alice --noclear %I', 'alice'],
    ['-/sbin/agetty --autologin=alice %I', 'alice'],
    ['-/sbin/agetty -a alice %I', 'alice'],
    ['-/sbin/agetty -aalice %I', 'alice'],
    ['-/sbin/agetty --noclear \\\n  --autologin alice %I', 'alice'],
    ["-/sbin/agetty -o '-p -- \\\\u' --noclear - $TERM", undefined],
  ] as const) {
    t.is(autologinOf([`[Service]\nExecStart=${command}\n`]), expected, command);
  }
});
