import type { BSON } from 'mongodb';
import type { HostStore } from '../port.ts';
import type { Collections } from './collections.ts';
import type { Reach } from './errors.ts';
import { attach, forget, markLost, revokeKey, saveJudgement, suspend } from './host-admin.ts';
import { hostFacts } from './host-facts.ts';
import { eachKey, findHostById, findKey, listHosts, namesakes, readHost } from './hosts.ts';
import type { TrailMover } from './move-trail.ts';
import { claim, findSpeaker, rename } from './rename.ts';
import { clearChain, replace } from './replace.ts';
import { checkIn, settle, settleGone, storeReport } from './reports.ts';
import { rotate } from './rotate.ts';
import type { SharedReads } from './shared-reads.ts';
import type { Statement } from './shared-writes.ts';
import { spend } from './spend.ts';
import { storeV1 } from './v1-reports.ts';

/** What requests under way at once do together. */
export interface Shared {
  reach: Reach;
  reads: SharedReads;
  write: (statement: Statement) => Promise<boolean>;
  mover: TrailMover;
}

export function hostStore(collections: Collections, { reach, reads, write, mover }: Shared): HostStore {
  const noticed = async (found: Promise<BSON.Document | null>) => {
    const document = await found;
    if (document !== null) mover.notice(document);
    return document;
  };
  return {
    find: (hostname) => reach(async () => readHost(await noticed(reads.clientByName(hostname)))),
    namesakes: (hostname) => reach(() => namesakes(collections, hostname)),
    findById: (id) => reach(() => findHostById(collections, id)),
    findByKey: (key) => reach(async () => findSpeaker(collections, await noticed(reads.clientByKey(key)))),
    findKey: (key) => reach(() => findKey(reads, key)),
    keys: () => reach.each(() => eachKey(collections)),
    list: (filter) => reach.each(() => listHosts(collections, filter ?? {})),
    facts: (filter, checks = []) => reach.each(() => hostFacts(collections, filter, checks)),
    count: () => reach(() => collections.clients.countDocuments()),
    spend: (speaker, at) => reach(() => spend(collections, speaker, at)),
    checkIn: (report) => reach(() => checkIn(write, report)),
    storeReport: (report) => reach(() => storeReport(collections, write, report)),
    settleGone: (gone) => reach(() => settleGone(collections, gone)),
    storeV1: (report) => reach(() => storeV1(collections, { reads, write }, report)),
    attach: (hostname, identity, options) => reach(() => attach(collections, hostname, identity, options)),
    rename: (renaming, at) => reach(() => rename(collections, renaming, at)),
    claim: (host, name) => reach(() => claim(collections, host, name)),
    replace: (hostname, newcomer, at) => reach(() => replace(collections, hostname, newcomer, at)),
    rotate: (rotation, at) => reach(() => rotate(collections, rotation, at)),
    clearChain: (hostname, id) => reach(() => clearChain(collections, hostname, id)),
    markLost: (hostname, since) => reach(() => markLost(collections, hostname, since)),
    revokeKey: (key, at) => reach(() => revokeKey(collections, key, at)),
    saveJudgement: (hostname, submitted_at, checks) =>
      reach(() => saveJudgement(write, hostname, submitted_at, checks)),
    settle: (hostname, evaluated_at) => reach(() => settle(write, hostname, evaluated_at)),
    suspend: (hostname, suspended) => reach(() => suspend(collections, hostname, suspended)),
    forget: (hostname, at) => reach(() => forget(collections, hostname, at)),
  };
}
