import test from 'ava';
import { bootloader } from '../../../../src/agent/collectors/boot/bootloader.ts';
import { grantsSuperusers, isEditorOff } from '../../../../src/agent/collectors/boot/parse-bootloader.ts';
import { tellOf } from '../fact.ts';

const HASH = 'grub.pbkdf2.sha512.10000.0A1B.2C3D';

const script = (name: string, lines: string) =>
  `### BEGIN /etc/grub.d/${name} ###\n${lines}\n### END /etc/grub.d/${name} ###\n\n`;
const HEADER = script(
  '00_header',
  `if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
if [ "\${next_entry}" ] ; then
   set default="\${next_entry}"
else
   set default="0"
fi
function savedefault {
  if [ -z "\${boot_once}" ]; then
    saved_entry="\${chosen}"
    save_env saved_entry
  fi
}
terminal_output gfxterm
if [ "\${recordfail}" = 1 ] ; then set timeout=30; fi`,
);
const LINUX = script(
  '10_linux',
  `menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple-1' {
	load_video
	linux	/vmlinuz-6.1.0-18-amd64 root=/dev/mapper/vg-root ro  quiet
}
submenu 'Advanced options' $menuentry_id_option 'gnulinux-advanced-1' {
	menuentry 'Debian GNU/Linux, with Linux 6.1.0-18-amd64' --class debian {
		linux	/vmlinuz-6.1.0-18-amd64
	}
}`,
);
/** Fedora's and CentOS's, in every grub.cfg of theirs. */
const FEDORA_USERS = script(
  '01_users',
  `if [ -f \${prefix}/user.cfg ]; then
  source \${prefix}/user.cfg
  if [ -n "\${GRUB2_PASSWORD}" ]; then
    set superusers="root"
    export superusers
    password_pbkdf2 root \${GRUB2_PASSWORD}
  fi
fi`,
);
const CUSTOM = script(
  '41_custom',
  `if [ -f  \${config_directory}/custom.cfg ]; then
  source \${config_directory}/custom.cfg
elif [ -z "\${config_directory}" -a -f  $prefix/custom.cfg ]; then
  source $prefix/custom.cfg
fi`,
);
const SUPERUSERS = `set superusers="root"\npassword_pbkdf2 root ${HASH}`;

const GRUB: Record<string, { files: Record<string, string>; told: boolean | 'unknown' }> = {
  "Debian's grub.cfg, as it is": { files: { '/boot/grub/grub.cfg': HEADER + LINUX + CUSTOM }, told: false },
  'superusers in 40_custom': {
    files: { '/boot/grub/grub.cfg': HEADER + LINUX + script('40_custom', SUPERUSERS) },
    told: true,
  },
  'superusers in a custom.cfg that is read': {
    files: { '/boot/grub/grub.cfg': HEADER + LINUX + CUSTOM, '/boot/grub/custom.cfg': SUPERUSERS },
    told: true,
  },
  'superusers in a custom.cfg that nobody reads': {
    files: { '/boot/grub/grub.cfg': HEADER + LINUX, '/boot/grub/custom.cfg': SUPERUSERS },
    told: false,
  },
  "Fedora's grub.cfg names superusers, but nobody has set a password": {
    files: { '/boot/grub2/grub.cfg': HEADER + FEDORA_USERS + LINUX },
    told: false,
  },
  'a password of grub2-setpassword': {
    files: {
      '/boot/grub2/grub.cfg': HEADER + FEDORA_USERS + LINUX,
      '/boot/grub2/user.cfg': `GRUB2_PASSWORD=${HASH}\n`,
    },
    told: true,
  },
  'a user.cfg without a password': {
    files: { '/boot/grub2/grub.cfg': HEADER + FEDORA_USERS, '/boot/grub2/user.cfg': 'GRUB2_PASSWORD=\n' },
    told: false,
  },
  'a user.cfg that this grub.cfg does not read': {
    files: { '/boot/grub/grub.cfg': HEADER + LINUX, '/boot/grub/user.cfg': `GRUB2_PASSWORD=${HASH}\n` },
    told: false,
  },
  "RHEL's grub.cfg on the EFI partition": {
    files: {
      '/boot/efi/EFI/redhat/grub.cfg': HEADER + FEDORA_USERS,
      '/boot/efi/EFI/redhat/user.cfg': `GRUB2_PASSWORD=${HASH}\n`,
    },
    told: true,
  },
  'superusers under a condition of the administrator': {
    files: { '/boot/grub/grub.cfg': HEADER + script('40_custom', `if [ "$x" = 1 ]; then\n${SUPERUSERS}\nfi`) },
    told: 'unknown',
  },
  'a password in /etc/grub.d that update-grub has not seen': {
    files: {
      '/boot/grub/grub.cfg': HEADER + LINUX,
      '/etc/grub.d/40_custom': `#! /bin/sh\nexec tail -n +3 $0\n${SUPERUSERS}\n`,
    },
    told: 'unknown',
  },
  "Fedora's 01_users in /etc/grub.d is no password": {
    files: {
      '/boot/grub2/grub.cfg': HEADER + FEDORA_USERS,
      '/etc/grub.d/01_users': '#! /bin/sh\ncat << EOF\n    password_pbkdf2 root \\$' + '{GRUB2_PASSWORD}\nEOF\n',
    },
    told: false,
  },
};

for (const [what, { files, told }] of Object.entries(GRUB)) {
  test(`GRUB, ${what}: ${told}`, async (t) => {
    t.deepEqual((await tellOf(t, bootloader, files)).value, { loader: 'grub', protected: told });
  });
}

for (const [what, text, told] of [
  ['editor no', 'timeout 3\nconsole-mode max\neditor no\n', true],
  ['editor is not named', 'timeout 3\n', false],
  ['an empty file', '', false],
  ['editor yes', 'editor yes\n', false],
  ['editor 0', '\teditor  0\n', true],
  ['editor no, commented out', '#editor no\n', false],
  ['the last one counts', 'editor no\neditor yes\n', false],
] as const) {
  test(`systemd-boot, ${what}: ${told}`, async (t) => {
    t.is(isEditorOff(text), told);
    t.deepEqual((await tellOf(t, bootloader, { '/efi/loader/loader.conf': text })).value, {
      loader: 'systemd-boot',
      protected: told,
    });
  });
}

const INFO = '/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-47cf-b6c7-442aeb8c864c';
const loaderInfo = (name: string) => `\x06\0\0\0${[...name].map((letter) => `${letter}\0`).join('')}\0\0`;
const BOTH = { '/boot/grub/grub.cfg': HEADER + LINUX, '/boot/loader/loader.conf': 'editor no\n' };

test('of two that are there, the one that started the machine counts', async (t) => {
  t.deepEqual((await tellOf(t, bootloader, { ...BOTH, [INFO]: loaderInfo('systemd-boot 254.5-1') })).value, {
    loader: 'systemd-boot',
    protected: true,
  });
  t.deepEqual((await tellOf(t, bootloader, { ...BOTH, [INFO]: loaderInfo('GRUB 2.12') })).value, {
    loader: 'grub',
    protected: false,
  });
  t.deepEqual((await tellOf(t, bootloader, BOTH)).value, { loader: 'unknown', protected: 'unknown' });
});

test('what started the machine but is not where we look, and what may not be read, is unknown', async (t) => {
  t.deepEqual((await tellOf(t, bootloader, { [INFO]: loaderInfo('systemd-boot 254') })).value, {
    loader: 'systemd-boot',
    protected: 'unknown',
  });
  t.is((await tellOf(t, bootloader, {})).value, 'unknown');
  const denied = { readText: () => Promise.reject(new Error('EACCES: permission denied')) };
  t.deepEqual((await tellOf(t, bootloader, BOTH, denied)).reasons, { bootloader: 'EACCES: permission denied' });
});

test('an empty list of superusers locks everybody out, which is a protection', (t) => {
  t.is(grantsSuperusers('set superusers=""\n'), 'always');
});

test('what is cut off or no text grants nothing, and an enormous file is read', (t) => {
  for (const text of ['', 'set superuser', 'if [ x ]; then\nif\n', '\0\uFFFD'.repeat(500)])
    t.is(grantsSuperusers(text), 'never');
  t.is(grantsSuperusers(`${LINUX.repeat(2000)}${script('40_custom', SUPERUSERS)}`), 'always');
});
