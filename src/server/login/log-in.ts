import { createHash } from 'node:crypto';
import type { Context } from 'koa';
import type { GuardedEndpoint } from '../../core/access.ts';
import { messageOf, Refusal } from '../../core/errors.ts';
import type { Log } from '../../core/events.ts';
import type { PasswordHash } from '../../crypto/password-hash.ts';
import { checkPassword, makeDecoy, type Passwords } from '../../crypto/passwords.ts';
import { appendPasswordUpgrade } from '../../settings/password-upgrades.ts';
import type { ServerSettings } from '../../settings/server-settings.ts';
import { clientAddress } from '../client-address.ts';
import type { Turnstile } from '../limiter.ts';
import type { Shared } from '../shared.ts';
import type { Access } from './access.ts';
import type { Outcome } from './back-off.ts';
import { type Credentials, LONGEST_HEADER, readCredentials } from './read-credentials.ts';

export interface LoginDeps {
  access: () => Access;
  settings: () => Pick<ServerSettings, 'state'>;
  passwords: Passwords;
  hashing: Turnstile;
  shared: Pick<Shared, 'logins'>;
  log: Log;
}

/** What is checked where there is no hash of that name. */
const DECOY = makeDecoy();

/**
 * Lets in who knows a password by which this endpoint may be used.
 * Whoever does not learns neither whether there is such a user, nor whether it may come in here: the work is the same.
 * @throws Refusal
 */
export async function logIn(deps: LoginDeps, ctx: Context, endpoint: GuardedEndpoint): Promise<void> {
  const { shared, log } = deps;
  // What holds at the beginning holds to the end, whatever is read again meanwhile.
  const access = deps.access();
  const credentials = credentialsOf(ctx);
  if (credentials === undefined || access.endpoint(endpoint).slots === 0) {
    throw challenge(ctx, 'cannot let you in without a user and a password');
  }
  const { user } = credentials;
  const remote = clientAddress.take(ctx);
  // A name that nobody has may be a password, typed at the wrong place.
  const facts = { endpoint, remote, ...(access.knows(user) ? { user } : {}) };
  const attempt = { address: remote, user: createHash('sha256').update(user).digest('base64') };
  const { wait, first } = await shared.logins.admit(attempt);
  if (wait > 0) {
    if (first) log.event('login.limited', { ...facts, wait_ms: wait });
    ctx.set('Retry-After', String(Math.ceil(wait / 1000)));
    throw new Refusal('too-many-requests', 'cannot check a password now: too many were wrong; come again');
  }
  let outcome: Outcome = 'abandoned';
  try {
    const fitting = await deps.hashing(() => findFitting(deps, access, { endpoint, credentials }));
    outcome = fitting === undefined ? 'failed' : 'passed';
    if (fitting === undefined) {
      log.event('login.failed', facts);
      throw challenge(ctx, 'cannot let you in with this user and password');
    }
    log.event('login.passed', facts);
    if (fitting.kind === 'pbkdf2-sha256') await upgrade(deps, access, { fitting, credentials });
  } finally {
    shared.logins.settle(attempt, outcome);
  }
}

function credentialsOf(ctx: Context): Credentials | undefined {
  const { authorization } = ctx.req.headers;
  if (authorization !== undefined && authorization.length > LONGEST_HEADER) {
    throw new Refusal('bad-request', `cannot read an Authorization header of more than ${LONGEST_HEADER} characters`);
  }
  return readCredentials(authorization);
}

/** RFC 9110 section 11.6.1, RFC 7617 section 2.1. */
function challenge(ctx: Context, why: string): Refusal {
  ctx.set('WWW-Authenticate', 'Basic realm="PenguinDome", charset="UTF-8"');
  return new Refusal('login-required', why);
}

/** Checks as many hashes for one user as for any other. */
async function findFitting(
  { passwords }: LoginDeps,
  access: Access,
  { endpoint, credentials }: { endpoint: GuardedEndpoint; credentials: Credentials },
): Promise<PasswordHash | undefined> {
  const { hashesOf, slots } = access.endpoint(endpoint);
  const hashes = hashesOf(credentials.user);
  const rounds = access.rounds();
  let fitting: PasswordHash | undefined;
  for (let slot = 0; slot < slots; slot++) {
    const hash = hashes[slot];
    const fits = await checkPassword(passwords, { hash, decoy: DECOY, rounds }, credentials.password);
    if (fits) fitting ??= hash;
  }
  return fitting;
}

/** Whoever has come in need not wait, or be turned away, for what fails here. */
async function upgrade(
  { passwords, settings, hashing, log }: LoginDeps,
  access: Access,
  { fitting, credentials: { user, password } }: { fitting: PasswordHash; credentials: Credentials },
): Promise<void> {
  try {
    const hash = await hashing(() => passwords.hash(password));
    await appendPasswordUpgrade(settings().state, fitting, hash);
    access.upgrade(fitting, hash);
    log.event('login.upgraded', { user });
  } catch (error) {
    log.event('login.upgrade-failed', { user, reason: messageOf(error) });
  }
}
