import { BSON } from 'mongodb';
import { StoreUnavailable } from '../../core/errors.ts';
import { escapeFields } from '../escape.ts';
import { stamped, stampedEach } from '../host-document.ts';
import { judgementFields } from '../judgement-fields.ts';
import type { V1Report } from '../port.ts';
import type { Collections } from './collections.ts';
import { isDuplicateKey } from './errors.ts';
import type { SharedReads } from './shared-reads.ts';
import type { Statement } from './shared-writes.ts';
import { storeWithTrail } from './trail.ts';

/** How often somebody else's report of the same host may come between: each time one of those was stored. */
const ATTEMPTS = 50;

export async function storeV1(
  collections: Collections,
  shared: { reads: SharedReads; write: (statement: Statement) => Promise<boolean> },
  report: V1Report,
): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await shared.reads.everApproved(report.hostname)) return false;
    if (await tryToStore(collections, shared.write, report)) return true;
    const speaksV2 = { hostname: report.hostname, identity: { $exists: true } };
    if ((await collections.clients.countDocuments(speaksV2, { limit: 1 })) > 0) return false;
  }
  throw new StoreUnavailable(`cannot store the report of ${report.hostname}: too many come at once`);
}

/** @returns false where another report, or an identity, came between */
async function tryToStore(
  collections: Collections,
  write: (statement: Statement) => Promise<boolean>,
  report: V1Report,
): Promise<boolean> {
  const { hostname, trail } = report;
  const changes = changesOf(report);
  const bytes = BSON.calculateObjectSize(changes);
  return storeWithTrail(collections, { hostname, trail }, async ({ guard, set, more, bytes: others }) => {
    try {
      return await write({
        filter: { hostname, identity: { $exists: false }, ...guard },
        update: { $set: { ...changes, ...set }, $unset: { suspended: '' }, ...more },
        upsert: true,
        bytes: bytes + others,
      });
    } catch (error) {
      // The guard did not hold, so the upsert tried to make a second document of that name.
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  });
}

function changesOf(report: V1Report): Record<string, unknown> {
  const changes: Record<string, unknown> = {
    submitted_at: report.at,
    ...(report.collected_at && { collected_at: report.collected_at }),
    ...(report.plugins && { plugins: escapeFields(stamped(report.plugins, report.at)) }),
    ...(report.checks && {
      checks: escapeFields(judgementFields(report.checks)),
      settled: report.settled === true,
    }),
  };
  const commands = escapeFields(stampedEach(report.commands ?? {}, report.at));
  for (const [name, result] of Object.entries(commands)) changes[`commands.${name}`] = result;
  return changes;
}
