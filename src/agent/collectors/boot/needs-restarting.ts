import { isFields } from '../../../core/value.ts';
import type { CollectorTools, HostAccess } from '../../collector.ts';
import { unknown } from '../group.ts';
import { factsOf, textOf } from '../lenient.ts';

const KEPT = 'needs_restarting';
const DATABASES = ['/usr/lib/sysimage/rpm/rpmdb.sqlite', '/var/lib/rpm/rpmdb.sqlite', '/var/lib/rpm/Packages'];

/**
 * Whether dnf wants a restart because of what was updated since the last one (glibc, systemd, dbus, the kernel …). It takes a second, so it
 * is asked only after a start and after packages have changed.
 * @returns undefined where there is no dnf; unknown where it does not say
 */
export async function dnfWantsRestart(host: HostAccess, tools: CollectorTools): Promise<unknown> {
  const dnf = await host.find('dnf');
  if (dnf === undefined) return undefined;
  const state = await stateOf(host);
  const kept = (await tools.recall(KEPT))?.value;
  if (state !== undefined && isFields(kept) && kept['state'] === state) return kept['required'];
  const required = parseNeedsRestarting((await host.run(dnf, ['-C', 'needs-restarting', '-r'])).stdout);
  if (required === undefined)
    return unknown('dnf needs-restarting does not say (it is part of dnf-plugins-core, or yum-utils)');
  if (state !== undefined) await tools.keep(KEPT, { state, required });
  return required;
}

/** This start of the machine, and this set of packages. */
async function stateOf(host: HostAccess): Promise<string | undefined> {
  const boot = (await textOf(host, '/proc/sys/kernel/random/boot_id'))?.trim();
  for (const path of DATABASES) {
    const facts = await factsOf(host, path);
    if (boot !== undefined && facts !== undefined) return `${boot} ${facts.modified.toISOString()}`;
  }
  return undefined;
}

/** Its status is 1 for "restart" and for "no such command" alike, so that only its words count (dnf4 and dnf5 use the same). */
export function parseNeedsRestarting(stdout: string): boolean | undefined {
  if (/^Reboot is required to fully utilize these updates\.$/m.test(stdout)) return true;
  return /^Reboot should not be necessary\.$/m.test(stdout) ? false : undefined;
}
