import { type FSWatcher, watch } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { readBody } from '../../../src/agent/spool/read-body.ts';
import { readReports } from '../../../src/agent/spool/read-reports.ts';
import { type Machine, newMachine } from '../../agent/support/machine.ts';
import { runAgent, startAgent } from '../../agent/support/program.ts';
import { SLOW } from '../../agent/support/reporting-host.ts';
import type { Site } from '../../agent/support/site.ts';

/** Each a body of its own, so that a report takes a while to write. */
const PLUGINS = ['news', 'more', 'most'];

/** A host with the built agent, to be killed again and again. */
export interface Victim {
  machine: Machine;
  /** what was ever seen whole in the spool: id → what its `news` said */
  seen: Map<string, string>;
  /** the mark that the first plugin makes */
  mark: string;
  start(command: 'collect' | 'submit'): ReturnType<typeof startAgent>;
  /** All file names of the spool but of its lock. */
  spoolFiles(): Promise<string[]>;
  /** Reads the spool: what is there is whole. @returns ids, oldest first */
  look(t: ExecutionContext): Promise<string[]>;
}

/** @param at its folder; a scratch one where none is given */
export async function enrolVictim(t: ExecutionContext, site: Site, at?: string): Promise<Victim> {
  const machine = await newMachine(t, at === undefined ? {} : { state: at });
  const { places, state } = machine;
  await mkdir(state, { recursive: true });
  const mark = join(state, 'collecting');
  await machine.settings(`hostname: testhost\ncollectors: {disabled: [${SLOW}]}\n`);
  await machine.plugin('aaa', `#!/bin/sh\ntouch ${mark}\necho 1\n`);
  for (const name of PLUGINS) {
    await machine.plugin(name, `#!/bin/sh\nprintf '"'; cat /proc/sys/kernel/random/uuid | tr -d '\\n'; printf '"'\n`);
  }
  const said = await runAgent(['--state', state, 'enroll'], { input: await site.token() });
  t.is(said.status, 0, said.err);
  const seen = new Map<string, string>();
  return {
    machine,
    seen,
    mark,
    start: (command) => startAgent(['--state', state, command]),
    spoolFiles: async () => {
      const names = await readdir(places.spool.root, { recursive: true }).catch(() => []);
      return names.filter((name) => name !== '.lock').sort();
    },
    async look(check) {
      const { waiting, foreign } = await readReports(places);
      check.deepEqual(foreign, []);
      for (const { id, list } of waiting) {
        const bodies = await Promise.all(Object.values(list).map((digest) => readBody(places, digest)));
        check.false(bodies.includes(undefined), `report ${id} is not whole`);
        const news = list['plugins.news'];
        if (news !== undefined) seen.set(id, String(JSON.parse((await readBody(places, news)) ?? '""')));
      }
      return waiting.map(({ id }) => id);
    },
  };
}

/** Waits for a number of changes in the folders, or for the end of the program. */
export async function changesIn(folders: readonly string[], count: number, ended: Promise<unknown>): Promise<void> {
  const watchers: FSWatcher[] = [];
  let left = count;
  const enough = new Promise<void>((resolve) => {
    if (left === 0) resolve();
    for (const folder of folders) {
      const watcher = watch(folder, () => {
        if (--left <= 0) resolve();
      });
      watchers.push(watcher);
    }
  });
  await Promise.race([enough, ended]);
  for (const watcher of watchers) watcher.close();
}

export async function appears(path: string, ended: Promise<unknown>): Promise<void> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  while (!over && (await readFile(path).catch(() => undefined)) === undefined) await sleep(2);
}
