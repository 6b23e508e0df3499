import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';
import { packages } from '../../../../src/agent/collectors/packages/index.ts';
import { updates } from '../../../../src/agent/collectors/updates/index.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { hostInFolder, memory, plant } from '../host-in-folder.ts';
import { ARCH, DEBIAN, FEDORA } from './machine.ts';

const PROGRAMS = ['apt-config', 'unattended-upgrade', 'pacman-conf', 'rpm', 'flatpak', 'snap', 'kpatch'];
const FILES = [
  '/etc/apt/sources.list',
  '/etc/apt/sources.list.d/x.sources',
  '/etc/dnf/automatic.conf',
  '/etc/dnf/dnf.conf',
  '/etc/dnf/plugins/versionlock.list',
  '/etc/dnf/versionlock.toml',
  '/etc/yum.repos.d/x.repo',
  '/snap/x/current/meta/snap.yaml',
  '/sys/kernel/livepatch/x/enabled',
  '/usr/share/distro-info/debian.csv',
  '/var/lib/apt/lists/x_InRelease',
  '/var/lib/dpkg/status',
  '/var/lib/snapd/state.json',
];
const SHAPES = [
  '[section\nkey=',
  'Package: x\nStatus: hold ok',
  '{"data":{"config"',
  '\u0000\u0001[\ufffd]\n"',
  '=\n[]\n[[]]\n: x\n "";\n',
];
const CONTENTS: Record<string, Buffer> = {
  nothing: Buffer.alloc(0),
  'what is cut off': Buffer.from(SHAPES.join('\n')),
  'bytes that are no text': Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 167 + 13) % 256)),
  'more than anybody reads': Buffer.alloc(5_000_000, 'x [y] "z";\n'),
  'one endless line': Buffer.alloc(3_000_000, 'a'),
};

for (const [system, files] of Object.entries({ Debian: DEBIAN, Fedora: FEDORA, Arch: ARCH })) {
  for (const [title, contents] of Object.entries(CONTENTS)) {
    test(`${system}: where all programs and files say ${title}, each fact has its own answer, twice the same`, async (t) => {
      const folder = await scratchFolder(t);
      await plant(folder, files);
      await writeFile(join(folder, 'said'), contents);
      for (const path of FILES) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), contents);
      }
      for (const path of [...PROGRAMS.map((name) => `/usr/bin/${name}`), '/snap/bin/canonical-livepatch']) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), `#!/bin/sh\ncat '${folder}/said'\n`);
        await chmod(join(folder, path), 0o755);
      }
      const host = hostInFolder(t, folder);
      for (const group of [updates, packages]) {
        const answers = [await group.collect(host, memory()), await group.collect(host, memory())].map((each) =>
          JSON.stringify(each),
        );
        t.is(answers[0], answers[1]);
        t.true((answers[0]?.length ?? 0) < 2_000_000, 'what a host says is not told at any length');
      }
      t.like(await updates.collect(host, memory()), { release_support: { supported: true } });
    });
  }
}
