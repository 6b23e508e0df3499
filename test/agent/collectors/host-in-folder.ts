import { constants } from 'node:fs';
import { access, chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { CollectorTools, HostAccess, Kept, ReadOptions } from '../../../src/agent/collector.ts';
import { hostAccess } from '../../../src/agent/host-access.ts';
import { realClock } from '../../support/world.ts';

/** This machine. */
export function thisHost(t: ExecutionContext): HostAccess {
  const ended = new AbortController();
  t.teardown(() => ended.abort());
  return hostAccess({ clock: realClock, uid: process.getuid?.() ?? 0, home: '/', signal: ended.signal });
}

/** A machine whose files and programs lie in a folder: the real access, to a tree that the test made. */
export function hostInFolder(t: ExecutionContext, folder: string): HostAccess {
  const host = thisHost(t);
  const inside = (path: string) => join(folder, path);
  return {
    ...host,
    readText: (path, options) => host.readText(inside(path), ours(options)),
    list: (path, options) => host.list(inside(path), options),
    stat: (path) => host.stat(inside(path)),
    readLink: (path) => host.readLink(inside(path)),
    find: async (program) => {
      const path = `/usr/bin/${program}`;
      return (await access(inside(path), constants.X_OK).then(
        () => true,
        () => false,
      ))
        ? path
        : undefined;
    },
    run: (path, args, options) => host.run(inside(path), args, options),
    networkInterfaces: () => ({}),
  };
}

/** What was planted is the tester's, whoever that is. */
function ours(options: ReadOptions = {}): ReadOptions {
  const uid = process.getuid?.() ?? 0;
  return options.of === undefined || uid === 0 ? options : { ...options, of: uid };
}

/** Writes files below the folder; the contents of a link start with `-> `, those of a program with `#!`. */
export async function plant(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, contents] of Object.entries(files)) {
    const at = join(folder, path);
    await mkdir(dirname(at), { recursive: true });
    if (contents.startsWith('-> ')) await symlink(contents.slice(3), at);
    else await writeFile(at, contents);
    if (contents.startsWith('#!')) await chmod(at, 0o755);
  }
}

/** A program that prints this and ends with that status, whatever it is asked. */
export function saying(output: string, status = 0): string {
  return output === ''
    ? `#!/bin/sh\nexit ${status}\n`
    : `#!/bin/sh\ncat <<'END_OF_OUTPUT'\n${output.trimEnd()}\nEND_OF_OUTPUT\nexit ${status}\n`;
}

/** What collectors keep, in memory. @param settings as in agent.yml under `collectors` */
export function memory(
  settings: Partial<CollectorTools['settings']> = {},
): CollectorTools & { kept: Map<string, Kept> } {
  const kept = new Map<string, Kept>();
  return {
    settings: { disabled: [], enabled: [], ...settings },
    intervals: { collect_interval: 600_000, submit_interval: 60_000 },
    version: '1.2.3',
    kept,
    recall: async (key) => kept.get(key),
    secret: async () => undefined,
    left: async () => undefined,
    keep: async (key, value) => void kept.set(key, { at: realClock.now(), value }),
  };
}
