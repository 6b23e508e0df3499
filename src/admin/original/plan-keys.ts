import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../../core/errors.ts';
import { describeKeys } from '../../crypto/openpgp.ts';
import type { FileOwner } from '../../settings/atomic-write.ts';
import { readIfThere, writeNew } from '../ensure-files.ts';
import type { PlannedStep } from './steps.ts';

export const CLIENT_KEY = 'v1-client.asc';
export const SERVER_KEY = 'v1-server.asc';

/** The original's OpenPGP keys, armored. This server's own order key stays beside them. */
export async function planKeys(
  given: { server: string; client: string },
  { keys, owner }: { keys: string; owner: FileOwner },
): Promise<PlannedStep[]> {
  const steps: PlannedStep[] = [];
  for (const { what, name, armored, mode } of [
    { what: "original server's key", name: SERVER_KEY, armored: given.server, mode: 0o600 },
    { what: "original clients' key", name: CLIENT_KEY, armored: given.client, mode: 0o644 },
  ]) {
    const path = join(keys, name);
    const there = await readIfThere(path);
    await refuseAnother(path, there, armored);
    const run = async () => {
      await mkdir(keys, { recursive: true, mode: 0o700 });
      await writeNew(path, armored, mode, owner);
    };
    // the same key may come with another armor: what is there stays
    steps.push({ what, path, needed: there === undefined, run });
  }
  return steps;
}

async function refuseAnother(path: string, there: string | undefined, armored: string): Promise<void> {
  if (there === undefined) return;
  const [old, wanted] = [await fingerprints(there), await fingerprints(armored)];
  if (old !== wanted) {
    throw new OperatorError(
      `cannot replace ${path}: it holds ${old}, not ${wanted}; move it away first if that is meant`,
    );
  }
}

async function fingerprints(armored: string): Promise<string> {
  return (await describeKeys(armored))
    .map(({ fingerprint }) => fingerprint)
    .sort()
    .join(', ');
}
