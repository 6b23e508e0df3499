import { days, hours, minutes } from '../../../core/duration.ts';
import { type Fields, isFields } from '../../../core/value.ts';
import type { CollectorTools, HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { factsOf, namesIn } from '../lenient.ts';
import { type FirmwareUpdate, parseSecurity, parseUpdates } from './parse-fwupd.ts';

/** It asks nobody, and fetches nothing: what fwupd-refresh.timer has fetched counts. */
const QUIET = ['--json', '--no-metadata-check', '--no-unreported-check'];
/** Where fwupd keeps what it has fetched of each remote, by its version and its distribution. */
const LISTS = ['/var/lib/fwupd/metadata', '/var/lib/fwupd/remotes.d'];
/** fwupdmgr itself complains of older lists. */
const OLD = days(30);
/** What is unknown has no interval of its own, and fwupd is a daemon that is slow to start. */
const AGAIN = hours(6);
const KEPT = 'firmware_unknown';

export const firmware: Fact = {
  name: 'firmware',
  timeout: minutes(2),
  interval: days(1),
  look: async (host: HostAccess, tools: CollectorTools) => {
    const fwupdmgr = await host.find('fwupdmgr');
    if (fwupdmgr === undefined) return unknown('fwupd is not installed');
    const { why, ...told } = (await lastTold(host, tools)) ?? (await ask(host, tools, fwupdmgr));
    return why === undefined ? told : { ...told, updates: unknown(String(why)) };
  },
};

/** @returns `hsi` where it is told, and `updates`, or `why` they are unknown */
async function ask(host: HostAccess, tools: CollectorTools, fwupdmgr: string): Promise<Fields> {
  const updates = await host.run(fwupdmgr, ['get-updates', ...QUIET]);
  const security = await host.run(fwupdmgr, ['security', ...QUIET]);
  const level = parseSecurity(security.stdout);
  const hsi = level === undefined ? {} : { hsi: level };
  const found = parseUpdates(updates.stdout, updates.code);
  const why =
    found === undefined ? `fwupdmgr get-updates failed${lastLine(updates.stderr)}` : await doubtOf(host, found);
  if (why === undefined) return { ...hsi, updates: (found ?? []).map((update) => ({ ...update })) };
  await tools.keep(KEPT, { ...hsi, why });
  return { ...hsi, why };
}

async function lastTold(host: HostAccess, tools: CollectorTools): Promise<Fields | undefined> {
  const kept = await tools.recall(KEPT);
  const age = kept === undefined ? AGAIN : host.now().getTime() - kept.at.getTime();
  return age >= 0 && age < AGAIN && isFields(kept?.value) ? kept.value : undefined;
}

/** That old lists, or none, show no updates says nothing. @returns why not to believe it */
async function doubtOf(host: HostAccess, found: readonly FirmwareUpdate[]): Promise<string | undefined> {
  if (found.length > 0) return undefined;
  const refreshed = await newestList(host);
  if (refreshed === undefined) return 'the list of firmware was never fetched (fwupdmgr refresh)';
  const age = host.now().getTime() - refreshed.getTime();
  return age > OLD ? 'the list of firmware is more than 30 days old (fwupdmgr refresh)' : undefined;
}

async function newestList(host: HostAccess): Promise<Date | undefined> {
  const dates: Date[] = [];
  for (const lists of LISTS) {
    for (const remote of (await namesIn(host, lists)) ?? []) {
      const names = (await namesIn(host, `${lists}/${remote}`)) ?? [];
      for (const name of names.filter((each) => /^(?:firmware|metadata)\.xml\.\w+$/.test(each))) {
        const facts = await factsOf(host, `${lists}/${remote}/${name}`);
        if (facts !== undefined) dates.push(facts.modified);
      }
    }
  }
  return dates.sort((a, b) => a.getTime() - b.getTime()).at(-1);
}

function lastLine(stderr: string): string {
  const line = stderr.trim().split('\n').at(-1) ?? '';
  return line === '' ? '' : `: ${line.slice(0, 200)}`;
}
