import { StoreUnavailable } from '../../core/errors.ts';
import { escapeFields } from '../escape.ts';
import { judgementFields, stamped, stampedEach } from '../host-document.ts';
import type { V1Report } from '../port.ts';
import type { Collections } from './collections.ts';
import { everApproved } from './enrollments.ts';
import { isDuplicateKey } from './errors.ts';
import { markIn, storeWithTrail } from './trail.ts';

/** How often somebody else's report of the same host may come between: each time one of those was stored. */
const ATTEMPTS = 50;

export async function storeV1(collections: Collections, report: V1Report): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const known = await collections.clients.findOne(
      { hostname: report.hostname },
      { projection: { trail_mark: 1, identity: { $ne: [{ $type: '$identity' }, 'missing'] } } },
    );
    if (known?.['identity'] === true || (await everApproved(collections, report.hostname))) return false;
    if (await tryToStore(collections, report, markIn(known))) return true;
  }
  throw new StoreUnavailable(`cannot store the report of ${report.hostname}: too many come at once`);
}

/** @returns false where another report, or an identity, came between */
async function tryToStore(collections: Collections, report: V1Report, mark: string | undefined): Promise<boolean> {
  const { hostname, trail } = report;
  return storeWithTrail(collections, { hostname, trail, mark }, async ({ guard, set }) => {
    try {
      const result = await collections.clients.updateOne(
        { hostname, identity: { $exists: false }, ...guard },
        { $set: { ...changesOf(report), ...set }, $unset: { suspended: '' } },
        { upsert: true },
      );
      return result.matchedCount + result.upsertedCount === 1;
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
    ...(report.checks && { checks: escapeFields(judgementFields(report.checks)), settled: false }),
  };
  const commands = escapeFields(stampedEach(report.commands ?? {}, report.at));
  for (const [name, result] of Object.entries(commands)) changes[`commands.${name}`] = result;
  return changes;
}
