import { Command } from 'commander';
import type { Enrollment, Token } from '../core/enrollment.ts';
import { OperatorError } from '../core/errors.ts';
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
    .argument('<key-or-token>', 'the beginning of a key or of a token id; or a host name')
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

type Target = { kind: 'key'; enrollment: Enrollment } | { kind: 'token'; token: Token };

async function revoke(context: AdminContext, wanted: string, options: RevokeOptions): Promise<void> {
  const { output } = context;
  const target = await choose(context, wanted);
  if (target.kind === 'key') {
    const { key_id, hostname } = target.enrollment;
    await confirm(context, `Refuse ${hostname} (key ${key_id}) for good?`, options);
    await revokeKey(context, key_id, options.why);
    if (output.wantsJson) output.json({ key_id, hostname, status: 'revoked' });
    else output.line(`the key ${key_id} of ${hostname} is revoked`);
    return;
  }
  const { id } = target.token;
  await confirm(context, `Let nobody in by the token ${id} any more?`, options);
  await (await context.store()).tokens.revoke(id, context.clock.now());
  if (output.wantsJson) output.json({ token: id, status: 'revoked' });
  else output.line(`the token ${id} is revoked`);
}

async function choose(context: AdminContext, wanted: string): Promise<Target> {
  const store = await context.store();
  const enrollments = (await store.enrollments.list()).filter(
    ({ key_id, hostname, status }) => status !== 'revoked' && (hostname === wanted || beginsWith(key_id, wanted)),
  );
  const tokens = (await store.tokens.list()).filter(
    ({ id, revoked_at }) => revoked_at === undefined && beginsWith(id, wanted),
  );
  const targets: Target[] = [
    ...enrollments.map((enrollment): Target => ({ kind: 'key', enrollment })),
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

function describe(target: Target): string {
  return target.kind === 'key'
    ? `  ${target.enrollment.key_id}  key of ${target.enrollment.hostname}`
    : `  ${target.token.id}  token`;
}
