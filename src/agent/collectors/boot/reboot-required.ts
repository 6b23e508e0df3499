import { minutes } from '../../../core/duration.ts';
import type { CollectorTools, HostAccess } from '../../collector.ts';
import { type Fact, isUnknown, unknown } from '../group.ts';
import { textOf } from '../lenient.ts';
import { readOsRelease } from '../os-release.ts';
import { findKernels } from './installed-kernels.ts';
import { compareReleases, newestLike } from './kernel-release.ts';
import { dnfWantsRestart } from './needs-restarting.ts';

export const rebootRequired: Fact = {
  name: 'reboot_required',
  timeout: minutes(1),
  look: async (host: HostAccess, tools: CollectorTools) => {
    const family = await familyOf(host);
    if (family === 'arch') return onArch(host);
    const kernels = await newerKernel(host);
    const asked = family === 'fedora' ? await dnfWantsRestart(host, tools) : await packagesAsk(host);
    // In a container neither has a place; a machine may also be started with a kernel from outside.
    if (kernels === undefined && asked === undefined) return undefined;
    const because = [...(kernels?.newer === true ? ['kernel'] : []), ...(asked === true ? ['packages'] : [])];
    const required = because.length > 0 ? true : (doubt(kernels?.newer) ?? doubt(asked) ?? false);
    return {
      required,
      because,
      running: host.release(),
      ...(kernels?.newest === undefined ? {} : { newest: kernels.newest }),
    };
  },
};

function doubt(answer: unknown): unknown {
  return isUnknown(answer) ? answer : undefined;
}

async function familyOf(host: HostAccess): Promise<'arch' | 'fedora' | 'other'> {
  const release = await readOsRelease(host);
  const ids = `${release?.get('ID') ?? ''} ${release?.get('ID_LIKE') ?? ''}`.split(' ');
  if (ids.includes('arch')) return 'arch';
  return ids.includes('fedora') || ids.includes('rhel') ? 'fedora' : 'other';
}

/** pacman takes a kernel's files away as it installs the next one: what runs and is no longer there has been replaced. */
async function onArch(host: HostAccess): Promise<unknown> {
  const running = host.release();
  const kernels = await findKernels(host);
  if (kernels.length === 0) return undefined;
  const newest = newestLike(running, kernels);
  const required = !kernels.includes(running);
  return { required, because: required ? ['kernel'] : [], running, ...(newest === undefined ? {} : { newest }) };
}

async function newerKernel(host: HostAccess): Promise<{ newer: unknown; newest?: string } | undefined> {
  const kernels = await findKernels(host);
  if (kernels.length === 0) return undefined;
  const running = host.release();
  const newest = newestLike(running, kernels);
  if (newest === undefined) return { newer: unknown('none of the installed kernels is like the one that runs') };
  if (compareReleases(newest, running) > 0) return { newer: true, newest };
  return { newer: await wasReplaced(host, running), newest };
}

/**
 * Debian may build a kernel anew under the same release: /proc/version has the version of the package that runs
 * (`#1 SMP PREEMPT_DYNAMIC Debian 6.1.90-1 (2024-05-03)`), dpkg that which is installed.
 */
async function wasReplaced(host: HostAccess, running: string): Promise<boolean> {
  const started = / Debian (\S+) \(/.exec((await textOf(host, '/proc/version')) ?? '')?.[1];
  if (started === undefined) return false;
  const status = (await textOf(host, '/var/lib/dpkg/status', 32 * 1024 * 1024)) ?? '';
  const at = `\n${status}`.indexOf(`\nPackage: linux-image-${running}\n`);
  const stanza = at < 0 ? '' : (status.slice(at).split('\n\n', 1)[0] ?? '');
  const installed = /^Version: (\S+)$/m.exec(stanza)?.[1];
  // Signed packages are numbered after the source that they were made of: 6.1.90-1 for both; a `+b1` is no other kernel.
  return installed !== undefined && installed.replace(/\+b\d+$/, '') !== started;
}

/** Written by packages through update-notifier-common or unattended-upgrades, and gone after a start. */
async function packagesAsk(host: HostAccess): Promise<boolean | undefined> {
  for (const path of ['/run/reboot-required', '/var/run/reboot-required']) {
    if ((await textOf(host, path)) !== undefined) return true;
  }
  return undefined;
}
