import { Command } from 'commander';
import type { Enrollment, Token } from '../core/enrollment.ts';
import { OperatorError } from '../core/errors.ts';
import { type HostId, isSameName, isValid, type KeyId } from '../core/host.ts';
import { beginsWith } from './begins-with.ts';
import { confirm } from './confirm.ts';
import type { AdminContext } from './context.ts';
import { revokeKey } from './revoke-key.ts';

interface RevokeOptions {
  why: string;
  yes?: boolean;
}

export function enrollmentRevoke(context: AdminContext): Command {
  return new Command('revoke')
    .description('ends a key, so that its machine is refused for good, or a token, so that it lets nobody in any more')
    .argument('<key-or-token>', 'the beginning of a key or of a token id; or a host name, for all keys of the host')
    .option('--why <text>', 'kept with the key', 'revoked by an operator')
    .option('--yes', 'without asking')
    .addHelpText('after', EXAMPLES)
    .action((wanted: string, options: RevokeOptions) => revoke(context, wanted, options));
}

const EXAMPLES = `
What a machine reported stays; \`penguindome hosts forget\` removes it. Machines that a revoked token has let in stay.
Revocations of keys are also written outside the store, so that restoring a backup does not undo them.
Write -- before a key that begins with a hyphen.

Examples:
  penguindome enrollment revoke lap-17 --why 'stolen'
  penguindome enrollment revoke --yes 0199f3c2`;

type Target = { kind: 'keys'; enrollments: [Enrollment, ...Enrollment[]] } | { kind: 'token'; token: Token };

async function revoke(context: AdminContext, wanted: string, options: RevokeOptions): Promise<void> {
  const target = await choose(context, wanted);
  if (target.kind === 'keys') await revokeKeys(context, target.enrollments, options);
  else await revokeToken(context, target.token, options);
}

async function revokeKeys(
  context: AdminContext,
  enrollments: [Enrollment, ...Enrollment[]],
  options: RevokeOptions,
): Promise<void> {
  const { output } = context;
  const [{ hostname, host_id, key_id }, ...others] = enrollments;
  context.concerns([hostname]);
  const ids = enrollments.map((each) => each.key_id);
  const keys = `${others.length === 0 ? 'key' : 'keys'} ${ids.join(', ')}`;
  await confirm(context, `Refuse ${hostname} (${keys}) for good?`, options);
  for (const id of ids) await revokeKey(context, id, options.why);
  const left = await keysLeft(context, host_id);
  if (output.wantsJson) {
    output.json({ key_id, ...(others.length === 0 ? {} : { key_ids: ids }), hostname, status: 'revoked', left });
    return;
  }
  output.line(`the ${keys} of ${hostname} ${others.length === 0 ? 'is' : 'are'} revoked`);
  for (const id of left) {
    output.note(
      `${hostname} may still report with its key ${id}; to refuse the host: penguindome enrollment revoke ${hostname}`,
    );
  }
}

/** What still counts of the host: it may have come with another key since. */
async function keysLeft(context: AdminContext, host_id: HostId): Promise<KeyId[]> {
  const host = await (await context.store()).hosts.findById(host_id);
  return (host?.identity?.keys ?? []).filter((key) => isValid(key, context.clock.now())).map(({ id }) => id);
}

async function revokeToken(context: AdminContext, { id }: Token, options: RevokeOptions): Promise<void> {
  const { output } = context;
  await confirm(context, `Let nobody in by the token ${id} any more?`, options);
  await (await context.store()).tokens.revoke(id, context.clock.now());
  if (output.wantsJson) output.json({ token: id, status: 'revoked' });
  else output.line(`the token ${id} is revoked`);
}

async function choose(context: AdminContext, wanted: string): Promise<Target> {
  const store = await context.store();
  const enrollments = (await store.enrollments.list()).filter(
    ({ key_id, hostname, status }) =>
      status !== 'revoked' && (isSameName(hostname, wanted) || beginsWith(key_id, wanted)),
  );
  const tokens = (await store.tokens.list()).filter(
    ({ id, revoked_at }) => revoked_at === undefined && beginsWith(id, wanted),
  );
  const targets: Target[] = [
    ...together(enrollments, wanted).map((each): Target => ({ kind: 'keys', enrollments: each })),
    ...tokens.map((token): Target => ({ kind: 'token', token })),
  ];
  const [target, ...others] = targets;
  if (target === undefined) {
    throw new OperatorError(
      `cannot find a key, token or host ${wanted || '""'} that is not revoked; \`penguindome enrollment list\` shows all`,
    );
  }
  if (others.length > 0) {
    throw new OperatorError(`cannot tell which one is meant; give more of it:\n${targets.map(describe).join('\n')}`);
  }
  return target;
}

/** A host's name means all the keys that it came with, one after the other; what only waits for its place is by itself. */
function together(enrollments: Enrollment[], wanted: string): [Enrollment, ...Enrollment[]][] {
  const named = enrollments.filter(({ hostname, status }) => isSameName(hostname, wanted) && status === 'approved');
  const [first, ...others] = named;
  const sameHost = first !== undefined && others.every(({ host_id }) => host_id === first.host_id);
  if (!sameHost) return enrollments.map((each) => [each]);
  return [
    [first, ...others],
    ...enrollments.filter((each) => !named.includes(each)).map((each): [Enrollment] => [each]),
  ];
}

function describe(target: Target): string {
  return target.kind === 'keys'
    ? target.enrollments.map(({ key_id, hostname }) => `  ${key_id}  key of ${hostname}`).join('\n')
    : `  ${target.token.id}  token`;
}
