import { spawnSync } from 'node:child_process';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { whenPresent } from '../support/needs.ts';
import { scratchFolder } from '../support/scratch.ts';

const FILES = 'appliance/files';
const LIST = 'appliance/list.mjs';

async function list(): Promise<Record<string, unknown>> {
  return import(join(process.cwd(), LIST));
}

const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : Object.keys(Object(value)));

test('every place that is kept on the data partition is there to be mounted over', async (t) => {
  const { FOLDERS } = await list();
  const folders = texts(FOLDERS).map((folder) => `/${folder}`);
  const kept = [...(await readFile(join(FILES, 'etc/fstab'), 'utf8')).matchAll(/^\/data(\S+) (\S+) none bind,/gm)];
  t.true(kept.length > 5);
  for (const [, from, to = ''] of kept) {
    t.is(from, to);
    t.true(
      folders.some((folder) => folder === to || folder.startsWith(`${to}/`)),
      to,
    );
  }
});

test('modes and early files are of files that are there, and each program has a mode', async (t) => {
  const { MODES, EARLY } = await list();
  for (const path of [...texts(MODES), ...texts(EARLY)]) t.true((await stat(join(FILES, path))).isFile(), path);
  const entries = await readdir(FILES, { recursive: true, withFileTypes: true });
  const programs = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async ({ parentPath, name }) => {
        const path = join(parentPath, name);
        return (await readFile(path, 'utf8')).startsWith('#!/bin/') ? [path.slice(FILES.length + 1)] : [];
      }),
  );
  t.deepEqual(
    programs.flat().filter((path) => !texts(MODES).includes(path)),
    [],
  );
});

test('of our own units those with an [Install] section are enabled, and no others', async (t) => {
  const { UNITS } = await list();
  const folder = join(FILES, 'usr/lib/systemd/system');
  for (const name of await readdir(folder)) {
    const installed = (await readFile(join(folder, name), 'utf8')).includes('[Install]');
    t.is(texts(UNITS).includes(name), installed, name);
  }
});

const hasSfdisk = spawnSync('sh', ['-c', 'command -v sfdisk']).status === 0;

whenPresent(hasSfdisk, 'a disk as a file needs sfdisk')(
  'a disk has the partitions of the list, one behind the other, with what belongs into each',
  async (t) => {
    const { makeDisk } = await import(join(process.cwd(), 'appliance/disk.mjs'));
    const folder = await scratchFolder(t);
    const parts: Record<string, string> = {};
    for (const name of ['mbr', 'bios', 'boot', 'system', 'data']) {
      parts[name] = join(folder, name);
      await writeFile(parts[name], name.padEnd(440, '.'));
    }
    const disk = join(folder, 'disk.raw');
    await makeDisk(disk, parts);
    const { status, stdout } = spawnSync('sfdisk', ['--verify', disk], { encoding: 'utf8' });
    t.is(status, 0, stdout);
    const dump = spawnSync('sfdisk', ['--dump', disk], { encoding: 'utf8' }).stdout;
    const found = [...dump.matchAll(/start= *(\d+),.*name="([^"]+)"/g)].map(([, start, name]) => ({
      start: Number(start),
      name,
    }));
    t.deepEqual(
      found.map(({ name }) => name),
      ['bios', 'boot', 'system-a', 'system-b', 'data'],
    );
    const at = (sector: number) =>
      spawnSync('dd', [`if=${disk}`, `skip=${sector}`, 'count=1', 'status=none'], { encoding: 'utf8' }).stdout;
    t.true(at(0).startsWith('mbr'));
    for (const { start, name } of found) {
      if (name !== 'system-b') t.true(at(start).startsWith(name?.replace('-a', '') ?? ''), name);
    }
  },
);
