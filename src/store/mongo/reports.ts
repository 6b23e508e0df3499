import type { Acknowledgement, KeyId } from '../../core/host.ts';
import { escapeFields } from '../escape.ts';
import { acknowledgementFields, judgementFields, stamped } from '../host-document.ts';
import type { CheckIn, Speaker, StoredReport } from '../port.ts';
import type { Collections } from './collections.ts';
import { markIn, storeWithTrail } from './trail.ts';

/** The host that a key speaks for, unless the key was revoked or has ended: part of every guard. The first field is what finds it by index. */
export function spokenForBy(key: KeyId, at: Date): object {
  return {
    'identity.keys.id': key,
    'identity.keys': { $elemMatch: { id: key, revoked_at: null, ends_at: { $not: { $lte: at } } } },
  };
}

export async function checkIn({ clients }: Collections, report: CheckIn): Promise<boolean> {
  const { matchedCount } = await clients.updateOne(
    {
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
    {
      $set: {
        'identity.sequence': report.sequence,
        'identity.last': acknowledgementFields(report.answer),
        submitted_at: report.answer.at,
        'plugins.submitted_at': report.answer.at,
        collected_at: report.collected_at,
      },
      $unset: { suspended: '' },
    },
  );
  return matchedCount === 1;
}

export async function storeReport(collections: Collections, report: StoredReport): Promise<boolean> {
  const { clients } = collections;
  const { hostname } = report;
  const named = { hostname, renamed_from: null };
  const known = await clients.findOne(
    { ...spokenForBy(report.key_id, report.answer.at), ...named },
    { projection: { trail_mark: 1 } },
  );
  if (known === null) return false;
  return storeWithTrail(collections, { hostname, trail: report.trail, mark: markIn(known) }, async ({ guard, set }) => {
    const { matchedCount } = await clients.updateOne(
      { ...guardOf(report), ...named, ...guard },
      {
        $set: {
          ...answered(report),
          'identity.digest': report.digest,
          'identity.list': escapeFields({ ...report.list }),
          submitted_at: report.answer.at,
          collected_at: report.collected_at,
          plugins: escapeFields(stamped(report.plugins, report.answer.at)),
          ...(report.commands && { commands: escapeFields(report.commands) }),
          ...(report.checks && { checks: escapeFields(judgementFields(report.checks)), settled: false }),
          ...set,
        },
        $unset: { suspended: '' },
      },
    );
    return matchedCount === 1;
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
