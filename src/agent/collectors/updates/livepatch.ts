import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { factsOf, namesIn, textOf } from '../lenient.ts';
import { parseLivepatchStatus } from './parse-livepatch-status.ts';

const KERNEL = '/sys/kernel/livepatch';
/** A snap's programs are in no folder of the system's own. */
const CLIENT = '/snap/bin/canonical-livepatch';

/** What the kernel runs, whoever put it there (kpatch, Canonical, SUSE), and what Canonical's client thinks of it. */
export const livepatch: Fact = {
  name: 'livepatch',
  look: async (host: HostAccess) => {
    const patches = await loadedPatches(host);
    const client = (await factsOf(host, CLIENT)) === undefined ? undefined : await askClient(host);
    const kpatch = (await host.find('kpatch')) !== undefined;
    if (client === undefined && !kpatch && patches === undefined) return undefined;
    return {
      patches: patches ?? [],
      ...(kpatch ? { kpatch: true } : {}),
      ...(client === undefined ? {} : { canonical: client }),
    };
  },
};

/** sysfs-kernel-livepatch: a folder for each patch. @returns undefined where the kernel cannot be patched so */
async function loadedPatches(host: HostAccess): Promise<unknown[] | undefined> {
  const names = await namesIn(host, KERNEL);
  if (names === undefined) return undefined;
  return Promise.all(
    names.map(async (name) => {
      const enabled = (await textOf(host, `${KERNEL}/${name}/enabled`))?.trim();
      return { name, enabled: enabled === undefined ? unknown('it cannot be read') : enabled === '1' };
    }),
  );
}

async function askClient(host: HostAccess): Promise<unknown> {
  const { code, stdout } = await host.run(CLIENT, ['status', '--format', 'json']);
  if (code !== 0) return unknown('canonical-livepatch does not answer: it may not be enabled');
  return parseLivepatchStatus(stdout) ?? unknown('cannot make out what canonical-livepatch says');
}
