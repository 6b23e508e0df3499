import { BSON } from 'mongodb';
import type { Acknowledgement, KeyId } from '../../core/host.ts';
import { escapeFields } from '../escape.ts';
import { acknowledgementFields, stamped } from '../host-document.ts';
import { judgementFields } from '../judgement-fields.ts';
import type { CheckIn, Speaker, StoredReport } from '../port.ts';
import { type Changed, changedPaths } from './changed-paths.ts';
import type { Collections } from './collections.ts';
import type { Statement } from './shared-writes.ts';
import { storeWithTrail } from './trail.ts';

/** The host that a key speaks for, unless the key was revoked or has ended: part of every guard. The first field is what finds it by index. */
export function spokenForBy(key: KeyId, at: Date): object {
  return {
    'identity.keys.id': key,
    'identity.keys': { $elemMatch: { id: key, revoked_at: null, ends_at: { $not: { $lte: at } } } },
  };
}

export const BY_KEY = { 'identity.keys.id': 1 };

type Write = (statement: Statement) => Promise<boolean>;

export async function checkIn(write: Write, report: CheckIn): Promise<boolean> {
  return write({
    filter: {
      ...spokenForBy(report.key_id, report.answer.at),
      'identity.sequence': { $lt: report.sequence },
      'identity.epoch': report.epoch,
      'identity.last.chain': report.chain,
      'identity.last.submission': { $ne: report.answer.submission },
      'identity.digest': report.digest,
      hostname: report.hostname,
      'identity.claimed_hostname': report.claimed_hostname,
      'identity.lost_at': null,
      renamed_from: null,
    },
    hint: BY_KEY,
    update: {
      $set: {
        'identity.sequence': report.sequence,
        'identity.last': acknowledgementFields(report.answer),
        submitted_at: report.answer.at,
        'plugins.submitted_at': report.answer.at,
        collected_at: report.collected_at,
      },
      $unset: { suspended: '' },
    },
    leaves: { key_id: report.key_id, chain: report.answer.chain },
    bytes: 1024,
  });
}

export async function storeReport(collections: Collections, write: Write, report: StoredReport): Promise<boolean> {
  const { hostname, trail, checks } = report;
  const parts = changedParts(report);
  const changes = {
    ...answered(report),
    'identity.digest': report.digest,
    submitted_at: report.answer.at,
    collected_at: report.collected_at,
    ...(checks && { checks: escapeFields(judgementFields(checks)), settled: report.settled === true }),
    ...parts.set,
  };
  const bytes = BSON.calculateObjectSize(changes);
  return storeWithTrail(collections, { hostname, trail }, ({ guard, set, more, bytes: others }) =>
    write({
      filter: { ...guardOf(report), hostname, renamed_from: null, ...guard },
      hint: BY_KEY,
      update: { $set: { ...changes, ...set }, $unset: { suspended: '', ...parts.unset }, ...more },
      leaves: { key_id: report.key_id, chain: report.answer.chain },
      bytes: bytes + others,
    }),
  );
}

/**
 * Whoever writes plugins, commands or list of a host of v2 gives it another chain value, or (where the chain is to start anew) none.
 * So while the guard over the chain value holds, these are as they were read with it, and what has not changed need not be written.
 */
function changedParts({ expected_chain, before, list, plugins, commands, answer }: StoredReport): Changed {
  const known = expected_chain !== null && before?.identity.last?.chain === expected_chain ? before : undefined;
  const parts = [
    changedPaths('identity.list', known?.identity.list, list),
    changedPaths('plugins', known?.plugins, stamped(plugins, answer.at)),
    ...(commands === undefined ? [] : [changedPaths('commands', known?.commands, commands)]),
  ];
  return {
    set: Object.assign({}, ...parts.map(({ set }) => set)),
    unset: Object.assign({}, ...parts.map(({ unset }) => unset)),
  };
}

export async function settle(write: Write, hostname: string, evaluated_at: Date): Promise<boolean> {
  return write({
    filter: { hostname, 'checks.evaluated_at': evaluated_at },
    update: { $set: { settled: true } },
    repeatable: true,
    bytes: 256,
  });
}

type Said = Speaker & { expected_chain: string | null; epoch: string; answer: Acknowledgement };

export async function settleGone({ clients }: Collections, gone: Said): Promise<boolean> {
  const { matchedCount } = await clients.updateOne(guardOf(gone), { $set: answered(gone) });
  return matchedCount === 1;
}

function guardOf(said: Said): object {
  return {
    ...spokenForBy(said.key_id, said.answer.at),
    'identity.sequence': { $lt: said.sequence },
    'identity.last.chain': said.expected_chain,
    'identity.lost_at': null,
  };
}

function answered(said: Said): object {
  return {
    'identity.sequence': said.sequence,
    'identity.epoch': said.epoch,
    'identity.last': acknowledgementFields(said.answer),
  };
}
