import { readFile } from 'node:fs/promises';
import { loadJudge } from '../audit/judge.ts';
import { messageOf, OperatorError } from '../core/errors.ts';
import type { Log } from '../core/events.ts';
import { readPublicKeys, type VerificationKeys } from '../crypto/openpgp.ts';
import { readPorts } from '../server/port-settings.ts';
import type { Loaded } from '../server/start-server.ts';
import { loadAnswerKeys } from '../settings/answer-key-files.ts';
import { loadServerSettings } from '../settings/load-server-settings.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import { PRODUCT_CHECKS } from './product-checks.ts';

/**
 * Reads all that a SIGHUP reads again.
 * @param credentials $CREDENTIALS_DIRECTORY
 * @throws OperatorError for the first thing without which the server cannot be as it is told to be
 */
export async function loadServer(file: string, credentials: string | undefined, log: Log): Promise<Loaded> {
  const settings = await loadServerSettings(file);
  const [ports, v1Keys, answerKeys, { judge, problems }] = await Promise.all([
    readPorts(settings),
    readV1Keys(settings),
    loadAnswerKeys(settings, credentials),
    loadJudge([PRODUCT_CHECKS, ...settings.checks]),
  ]);
  for (const problem of problems) log.event('server.check-unusable', { ...problem });
  return { settings, ports, judge, v1Keys, answerKeys };
}

/** None while v1 is off. */
export async function readV1Keys({ v1 }: Pick<ServerSettings, 'v1'>): Promise<VerificationKeys> {
  if (!v1.enabled || v1.client_key === undefined) return [];
  try {
    return await readPublicKeys(await readFile(v1.client_key, 'utf8'));
  } catch (cause) {
    throw new OperatorError(`cannot use the v1 clients' key ${v1.client_key}: ${messageOf(cause)}`, {
      exitCode: 3,
      cause,
    });
  }
}
