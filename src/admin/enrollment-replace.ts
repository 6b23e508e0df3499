import { Command } from 'commander';
import type { Enrollment } from '../core/enrollment.ts';
import { OperatorError } from '../core/errors.ts';
import { type Host, type Identity, isSameName, isValid } from '../core/host.ts';
import { closeDuplicate } from './close-duplicate.ts';
import { confirm } from './confirm.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { findHost } from './find-host.ts';
import { identityLogOf } from './identity-log-of.ts';
import { revokeKey } from './revoke-key.ts';
import { showTime } from './show-time.ts';

interface ReplaceOptions {
  sameKey?: boolean;
  yes?: boolean;
}

export function enrollmentReplace(context: AdminContext): Command {
  return new Command('replace')
    .description(
      'lets a machine that waits under the name of a host take its place; or a host with the issue cloned-identity go on',
    )
    .argument('<host>', 'its name')
    .argument('[key]', "the beginning of the newcomer's key, where several wait")
    .option('--same-key', 'keep the key, and take the next report whatever came before it')
    .option('--yes', 'without asking')
    .addHelpText('after', EXAMPLES)
    .action((hostname: string, key: string | undefined, options: ReplaceOptions) =>
      replace(context, hostname, key, options),
    );
}

const EXAMPLES = `
For a machine that was installed anew: its new key takes the place, the old keys are revoked; host id, history and parameters stay.
With --same-key, for a host whose disk was cloned or whose snapshot was restored: first switch the other machine off, or give it
a key of its own there (penguindome-agent enroll --new-key). Whichever of the two reports next is taken for the host.
Write -- before a key that begins with a hyphen.

Examples:
  penguindome enrollment replace lap-17
  penguindome enrollment replace --yes lap-17 -- 5fK2mQ
  penguindome enrollment replace lap-17 --same-key`;

type Known = Host & { identity: Identity };

async function replace(
  context: AdminContext,
  hostname: string,
  key: string | undefined,
  options: ReplaceOptions,
): Promise<void> {
  const store = await context.store();
  const { identity, ...rest } = await findHost(store, hostname);
  context.concerns([rest.hostname]);
  if (identity === undefined) {
    throw new OperatorError(
      `cannot replace ${hostname}: it has no key yet, but speaks the original protocol; \`penguindome enrollment approve\` lets a machine take it over`,
    );
  }
  const host: Known = { ...rest, identity };
  if (options.sameKey !== true) await replaceKey(context, host, key, options);
  else if (key === undefined) await keepKey(context, host, options);
  else
    throw new OperatorError('cannot keep the key and take another one: leave out KEY or --same-key', {
      exitCode: EXIT.usage,
    });
}

async function replaceKey(
  context: AdminContext,
  host: Known,
  wanted: string | undefined,
  options: ReplaceOptions,
): Promise<void> {
  const { output } = context;
  const { hostname, identity } = host;
  const newcomer = choose(await (await context.store()).enrollments.list(), host, wanted);
  if (!output.wantsJson) printBoth(context, host, newcomer);
  await confirm(context, `Give ${hostname} to the newcomer, and refuse its keys so far for good?`, options);
  const revoked = identity.keys.filter(({ id, revoked_at }) => revoked_at === undefined && id !== newcomer.key_id);
  // Keys first: where we stop half way, the host is refused until this is said again.
  for (const { id } of revoked) await revokeKey(context, id, `${newcomer.key_id} took its place`);
  await findLost(context, host);
  await takePlace(context, host, newcomer);
  await closeIssues(context, hostname);
  const { host_id } = identity;
  if (output.wantsJson) {
    output.json({ hostname, host_id, key_id: newcomer.key_id, revoked: revoked.map(({ id }) => id) });
    return;
  }
  output.line(`${hostname} is the machine with the key ${newcomer.key_id} now`);
  if (newcomer.host_id !== host_id) {
    output.note(
      'it enrolled before the name was taken: say `penguindome-agent enroll` there again, with the same token',
    );
  }
}

async function takePlace(context: AdminContext, host: Known, newcomer: Enrollment): Promise<void> {
  const { hostname, identity } = host;
  const { key_id, public_key, machine_id_digest, pattern, sequence } = newcomer;
  const at = context.clock.now();
  const store = await context.store();
  const { host_id } = identity;
  await identityLogOf(await context.settings()).append({
    event: 'approved',
    key_id,
    host_id,
    hostname,
    at,
    why: 'took the place',
  });
  const taken = await store.hosts.replace(
    hostname,
    {
      host_id,
      key: { id: key_id, public_key, added_at: at },
      ...(machine_id_digest === undefined ? {} : { machine_id_digest }),
      ...(pattern === undefined ? {} : { pattern }),
      sequence,
    },
    at,
  );
  if (!taken)
    throw new OperatorError(`cannot replace ${hostname}: it, or the key ${key_id}, changed just now; look again`);
  await store.enrollments.approve(key_id, at);
}

/** The newcomer is not the machine that was lost; a restored backup is to know that too. */
async function findLost(context: AdminContext, { hostname, identity }: Known): Promise<void> {
  const key = identity.keys.at(-1);
  if (identity.lost_at === undefined || key === undefined) return;
  const { host_id } = identity;
  const event = { event: 'found', key_id: key.id, host_id, hostname, at: context.clock.now() } as const;
  await identityLogOf(await context.settings()).append(event);
}

async function keepKey(context: AdminContext, host: Known, options: ReplaceOptions): Promise<void> {
  const { output, clock } = context;
  const { hostname, identity } = host;
  const { host_id } = identity;
  const key = identity.keys.findLast((each) => isValid(each, clock.now()));
  if (key === undefined) {
    throw new OperatorError(
      `cannot let ${hostname} go on: its keys are revoked or have ended; it has to enrol with a new one`,
    );
  }
  await confirm(context, `Take the next report of ${hostname} whatever came before it?`, options);
  const event = { event: 'chain-cleared', key_id: key.id, host_id, hostname, at: clock.now() } as const;
  await identityLogOf(await context.settings()).append(event);
  if (!(await (await context.store()).hosts.clearChain(hostname, host_id))) {
    throw new OperatorError(`cannot let ${hostname} go on: it changed just now; look again`);
  }
  await (await context.store()).issues.close(hostname, 'cloned-identity', clock.now());
  if (output.wantsJson) output.json({ hostname, host_id, key_id: key.id, revoked: [] });
  else
    output.line(`the next report of ${hostname} is taken; a second machine with its key is found out by the one after`);
}

/** What waits under this name; or the host's own key, where it was stopped after that had its place. */
function choose(enrollments: Enrollment[], { hostname, identity }: Known, wanted = ''): Enrollment {
  const pending = enrollments.filter(
    (each) => isSameName(each.hostname, hostname) && each.status === 'pending' && each.key_id.startsWith(wanted),
  );
  const [newcomer, ...others] = pending;
  if (newcomer === undefined) {
    throw new OperatorError(
      `cannot find a machine that waits for the place of ${hostname}${wanted === '' ? '' : ` with a key ${wanted}…`}; ` +
        'enrol it there first (`penguindome enrollment list --pending` shows who waits), or use --same-key to let the host go on',
    );
  }
  if (others.length === 0) return newcomer;
  const half = pending.find(({ key_id }) => identity.keys.some(({ id }) => id === key_id));
  if (half !== undefined) return half;
  const keys = pending.map(
    ({ key_id, address, enrolled_at }) => `  ${key_id}  from ${address}, ${showTime(enrolled_at)}`,
  );
  throw new OperatorError(`cannot tell which one is meant; give more of the key:\n${keys.join('\n')}`);
}

function printBoth(
  { output, clock }: AdminContext,
  { hostname, identity, submitted_at }: Known,
  newcomer: Enrollment,
): void {
  const { key_id, machine_id_digest, address, enrolled_at } = newcomer;
  const keys = identity.keys.filter((key) => isValid(key, clock.now())).map(({ id }) => id);
  const facts: [string, string][] = [
    ['host', `${hostname}, last report ${showTime(submitted_at)}`],
    ['its keys', keys.join(', ') || 'none, they are revoked or have ended'],
    ...(identity.lost_at === undefined
      ? []
      : ([['lost', `since ${showTime(identity.lost_at)}; without its keys it can fetch no orders any more`]] satisfies [
          string,
          string,
        ][])),
    ['newcomer', key_id],
    ['machine id', compare(identity.machine_id_digest, machine_id_digest)],
    ['came from', address],
    ['asked at', showTime(enrolled_at)],
  ];
  for (const [name, value] of facts) output.line(`${name.padEnd(11)} ${value}`);
}

/** A new installation makes a new machine id: only one that is the same says something. */
function compare(known: string | undefined, said: string | undefined): string {
  if (said === undefined) return 'not told';
  return said === known ? 'the same as the host reported' : `${said} (a digest), another than the host reported`;
}

async function closeIssues(context: AdminContext, hostname: string): Promise<void> {
  const store = await context.store();
  await store.issues.close(hostname, 'cloned-identity', context.clock.now());
  await closeDuplicate(store, hostname, context.clock.now());
}
