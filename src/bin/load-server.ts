import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import type { Advisories } from '../audit/advisories.ts';
import type { Check } from '../audit/check-file.ts';
import type { CheckProblem } from '../audit/check-problem.ts';
import { makeJudge } from '../audit/judge.ts';
import { loadAdvisories } from '../audit/load-advisories.ts';
import { loadChecks } from '../audit/load-checks.ts';
import { messageOf, OperatorError } from '../core/errors.ts';
import type { Log } from '../core/events.ts';
import type { AnswerKeys } from '../crypto/answer-keys.ts';
import { exportSigningKey } from '../crypto/ed25519.ts';
import { loadSigningKey } from '../crypto/ed25519-sodium.ts';
import { readPublicKeys } from '../crypto/openpgp.ts';
import { compileAccess } from '../server/login/access.ts';
import { closedEndpoints } from '../server/login/closed-endpoints.ts';
import { type PortSpec, readPorts } from '../server/port-settings.ts';
import type { Loaded } from '../server/start-server.ts';
import { type Accounts, findUnknownNames, loadAccounts } from '../settings/accounts.ts';
import { loadAnswerKeys } from '../settings/answer-key-files.ts';
import { readFirstOrderKey } from '../settings/first-order-key.ts';
import { loadServerSettings } from '../settings/load-server-settings.ts';
import { type PasswordUpgrades, readPasswordUpgrades } from '../settings/password-upgrades.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import { PRODUCT_CHECKS } from './product-checks.ts';
import { VERSION } from './world.ts';

/**
 * All that a SIGHUP reads again, read and found good. JSON can hold it: each process of the server gets the same, one that is started
 * later too. It holds private keys.
 */
export interface ServerSource {
  settings: ServerSettings;
  ports: PortSpec[];
  checks: Check[];
  problems: CheckProblem[];
  advisories?: Advisories;
  /** armored; absent while v1 is off */
  v1Keys?: string;
  accounts: Accounts;
  upgrades: PasswordUpgrades;
  /** armored, public */
  firstOrderKey?: string;
  answerKeys: {
    newest: { number: number; pem: string };
    older: { number: number; pem: string; until: string }[];
    rotations: AnswerKeys['rotations'];
  };
}

/**
 * @param credentials $CREDENTIALS_DIRECTORY
 * @throws OperatorError for the first thing without which the server cannot be as it is told to be
 */
export async function loadServer(file: string, credentials: string | undefined, log: Log): Promise<ServerSource> {
  const settings = await loadServerSettings(file);
  const [ports, v1Keys, answerKeys, firstOrderKey, { checks, problems: unread }, known, accounts, upgrades] =
    await Promise.all([
      readPorts(settings),
      readV1Keys(settings),
      loadAnswerKeys(settings, credentials),
      readFirstOrderKey(settings),
      loadChecks([PRODUCT_CHECKS, ...settings.checks], settings.checks_profile),
      loadAdvisories(settings.advisories),
      loadAccounts(settings),
      loadUpgrades(settings, log),
    ]);
  const problems = [...unread, ...known.problems];
  for (const problem of problems) log.event('server.check-unusable', { ...problem });
  tellAccess(settings, accounts, log);
  return {
    settings,
    ports,
    checks,
    problems,
    ...(known.advisories === undefined ? {} : { advisories: known.advisories }),
    ...(v1Keys === undefined ? {} : { v1Keys }),
    ...(firstOrderKey === undefined ? {} : { firstOrderKey }),
    accounts,
    upgrades,
    answerKeys: dismantle(answerKeys),
  };
}

/** The primary has checked it, and is this same program. */
const serverSource = z.custom<ServerSource>((value) => typeof value === 'object' && value !== null);

/** All that a process needs before it has its store. */
export function reviveSettings(value: unknown): ServerSettings {
  return serverSource.parse(value).settings;
}

/** Makes of a source what a server takes. */
export async function reviveServer(value: unknown): Promise<Loaded> {
  const source = serverSource.parse(value);
  const { settings, ports, checks, problems, advisories, v1Keys, accounts, upgrades, firstOrderKey } = source;
  return {
    settings,
    ports,
    judge: makeJudge(checks, problems, { advisories, version: VERSION }, 'fails'),
    v1Keys: v1Keys === undefined ? [] : await readPublicKeys(v1Keys),
    answerKeys: assemble(source.answerKeys),
    ...(firstOrderKey === undefined ? {} : { firstOrderKey }),
    access: compileAccess({ auth: settings.server_auth, accounts, upgrades }),
  };
}

function dismantle({ newest, older, rotations }: AnswerKeys): ServerSource['answerKeys'] {
  return {
    newest: { number: newest.number, pem: exportSigningKey(newest.key) },
    older: older.map(({ number, key, until }) => ({ number, pem: exportSigningKey(key), until: until.toISOString() })),
    rotations,
  };
}

function assemble({ newest, older, rotations }: ServerSource['answerKeys']): AnswerKeys {
  return {
    newest: { number: newest.number, key: loadSigningKey(newest.pem) },
    older: older.map(({ number, pem, until }) => ({ number, key: loadSigningKey(pem), until: new Date(until) })),
    rotations,
  };
}

/** None while v1 is off. @throws OperatorError where they cannot be used */
export async function readV1Keys({ v1 }: Pick<ServerSettings, 'v1'>): Promise<string | undefined> {
  if (!v1.enabled || v1.client_key === undefined) return undefined;
  try {
    const armored = await readFile(v1.client_key, 'utf8');
    await readPublicKeys(armored);
    return armored;
  } catch (cause) {
    throw new OperatorError(`cannot use the v1 clients' key ${v1.client_key}: ${messageOf(cause)}`, {
      exitCode: 3,
      cause,
    });
  }
}

/** Without them the old hashes count, which is no reason not to serve. */
async function loadUpgrades({ state }: ServerSettings, log: Log): Promise<PasswordUpgrades> {
  return readPasswordUpgrades(state).catch((error: unknown) => {
    log.event('accounts.upgrades-unusable', { reason: messageOf(error) });
    return {};
  });
}

function tellAccess(settings: ServerSettings, accounts: Accounts, log: Log): void {
  for (const endpoint of closedEndpoints(settings, accounts)) log.event('server.endpoint-closed', { endpoint });
  for (const { where, name } of findUnknownNames(settings.server_auth, accounts)) {
    log.event('accounts.unknown-name', { where, name });
  }
}
