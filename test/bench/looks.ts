// Looks at this machine with every built-in collector, as a first collection does, and prints what each looked at: one JSON object.

import type { HostAccess } from '../../src/agent/collector.ts';
import { COLLECTORS } from '../../src/agent/collectors/index.ts';
import { hostAccess } from '../../src/agent/host-access.ts';
import { memory } from '../agent/collectors/host-in-folder.ts';
import { realClock } from '../support/world.ts';

interface Looks {
  /** with their arguments, in order */
  programs: string[][];
  files: string[];
  folders: string[];
}

function recording(host: HostAccess, looks: Looks): HostAccess {
  const note = (list: string[], path: string) => {
    if (!list.includes(path)) list.push(path);
  };
  return {
    ...host,
    run: (path, args, options) => {
      looks.programs.push([path, ...args]);
      return host.run(path, args, options);
    },
    readText: async (path, options) => {
      const text = await host.readText(path, options);
      if (text !== undefined) note(looks.files, path);
      return text;
    },
    list: async (path) => {
      const names = await host.list(path);
      if (names !== undefined) note(looks.folders, path);
      return names;
    },
  };
}

const { signal } = new AbortController();
const host = hostAccess({ clock: realClock, uid: process.geteuid?.() ?? -1, home: '/', signal });
const found: Record<string, Looks> = {};
for (const collector of COLLECTORS) {
  if (collector.optIn) continue;
  const looks: Looks = { programs: [], files: [], folders: [] };
  // Nothing was kept before: every fact is looked at.
  await collector.collect(recording(host, looks), memory()).catch(() => undefined);
  found[collector.name] = looks;
}
console.log(JSON.stringify(found));
