import type { Host } from '../../core/host.ts';
import { hostOf } from '../host-document.ts';
import type { HostFilter, HostStore } from '../port.ts';
import type { Bindable, Engine } from './engine.ts';
import type { Group } from './group-commit.ts';
import { attach, forget, markLost, revokeKey, saveJudgement, settle, suspend } from './host-admin.ts';
import { findHost, findHostById, findHostByKey, findKey, pageOfHosts } from './read-host.ts';
import { claim, rename } from './rename.ts';
import { clearChain, replace } from './replace.ts';
import { checkIn, settleGone, storeReport, storeV1 } from './reports.ts';
import { integer, time } from './row.ts';
import { spend } from './spend.ts';

/** Documents in memory at once while the fleet goes by. */
const PAGE = 10;

/** What a request writes is committed together with what other requests write: see group-commit.ts. */
export function hostStore(engine: Engine, group: Group): HostStore {
  return {
    find: async (hostname) => findHost(engine, hostname),
    findById: async (id) => findHostById(engine, id),
    findByKey: async (key) => findHostByKey(engine, key),
    findKey: async (key) => findKey(engine, key),
    list: (filter) => listHosts(engine, filter ?? {}),
    count: async () => countHosts(engine),
    spend: (speaker) => group.commit(() => spend(engine, speaker)),
    checkIn: (report) => group.commit(() => checkIn(engine, report)),
    storeReport: (report) => group.commit(() => storeReport(engine, report)),
    settleGone: (gone) => group.commit(() => settleGone(engine, gone)),
    storeV1: (report) => group.commit(() => storeV1(engine, report)),
    attach: async (hostname, identity, options) => attach(engine, hostname, identity, options),
    rename: async (renaming, at) => rename(engine, renaming, at),
    claim: async (host, name) => claim(engine, host, name),
    replace: async (hostname, newcomer, at) => replace(engine, hostname, newcomer, at),
    clearChain: async (hostname, id) => clearChain(engine, hostname, id),
    markLost: async (hostname, since) => markLost(engine, hostname, since),
    revokeKey: async (key, at) => revokeKey(engine, key, at),
    saveJudgement: async (hostname, submitted_at, checks) => saveJudgement(engine, hostname, submitted_at, checks),
    settle: (hostname, evaluated_at) => group.commit(() => settle(engine, hostname, evaluated_at)),
    suspend: async (hostname, suspended) => suspend(engine, hostname, suspended),
    forget: async (hostname, at) => forget(engine, hostname, at),
  };
}

/** Page by page, so that no statement stays open while the caller works: others may write meanwhile. */
async function* listHosts(engine: Engine, filter: HostFilter): AsyncGenerator<Host> {
  const { where, values } = condition(filter);
  let after = '';
  for (;;) {
    const page = pageOfHosts(engine, { after, limit: PAGE, where, values });
    for (const { document } of page) {
      const host = hostOf(document);
      if (host !== undefined) yield host;
    }
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.hostname;
  }
}

function condition(filter: HostFilter): { where: string; values: Bindable[] } {
  const parts: [string, Bindable][] = [];
  if (filter.hostnames)
    parts.push(['hosts.hostname IN (SELECT value FROM json_each(?))', JSON.stringify(filter.hostnames)]);
  if (filter.judged_otherwise) parts.push(['checks_version IS NOT ?', filter.judged_otherwise]);
  if (filter.unsettled) parts.push(['settled = ?', 0]);
  if (filter.deadline_by) parts.push(['checks_deadline_at <= ?', time(filter.deadline_by)]);
  if (filter.silent_since) parts.push(['(submitted_at < ? OR submitted_at IS NULL)', time(filter.silent_since)]);
  return { where: ['1', ...parts.map(([part]) => part)].join(' AND '), values: parts.map(([, value]) => value) };
}

function countHosts(engine: Engine): number {
  const row = engine.get('SELECT count(*) AS hosts FROM hosts');
  return row === undefined ? 0 : integer(row, 'hosts');
}
