import { Command } from 'commander';
import type { Enrollment, Token } from '../core/enrollment.ts';
import type { HostKey, KeyId } from '../core/host.ts';
import type { Store } from '../store/port.ts';
import type { AdminContext } from './context.ts';
import { showKeyEnd } from './show-key-end.ts';
import { showTime } from './show-time.ts';

export function enrollmentList(context: AdminContext): Command {
  return new Command('list')
    .description('the machines that asked to come in, and the tokens that let them')
    .option('--pending', 'only machines that wait for approval')
    .addHelpText('after', EXAMPLES)
    .action((options: { pending?: boolean }) => listEnrollments(context, options.pending === true));
}

const EXAMPLES = `
Examples:
  penguindome enrollment list
  penguindome enrollment list --pending
  penguindome enrollment list --json | jq '.enrollments[] | select(.conflict)'`;

async function listEnrollments(context: AdminContext, pendingOnly: boolean): Promise<void> {
  const { output, clock } = context;
  const store = await context.store();
  const all = await store.enrollments.list();
  const enrollments = pendingOnly ? all.filter(({ status }) => status === 'pending') : all;
  const tokens = pendingOnly ? [] : await store.tokens.list();
  const keys = await rotatedKeys(store, enrollments);
  if (output.wantsJson) {
    output.json({
      enrollments: enrollments.map((each) => ({ ...each, ...endOf(keys.get(each.key_id)) })),
      tokens: tokens.map(({ hash: _secret, ...token }) => ({ ...token, state: stateOf(token, clock.now()) })),
    });
    return;
  }
  if (enrollments.length > 0) {
    output.table(
      ['HOST', 'STATUS', 'KEY', 'FROM', 'SINCE'],
      enrollments.map((each) => enrollmentRow(each, keys.get(each.key_id), clock.now())),
    );
  } else output.note(pendingOnly ? 'no machine waits for approval' : 'no machine has enrolled yet');
  if (tokens.length > 0) {
    output.line();
    output.table(
      ['TOKEN', 'STATE', 'USED', 'NAMES', 'APPROVES', 'UNTIL', 'NOTE'],
      tokens.map((token) => tokenRow(token, clock.now())),
    );
  }
}

/** The keys of hosts that came with another key since: which of them counts, and until when, their hosts know. */
async function rotatedKeys({ hosts }: Store, enrollments: Enrollment[]): Promise<Map<KeyId, HostKey>> {
  const rotated = new Set(enrollments.flatMap(({ host_id, replaces }) => (replaces === undefined ? [] : [host_id])));
  const keys = new Map<KeyId, HostKey>();
  for (const id of rotated) {
    for (const key of (await hosts.findById(id))?.identity?.keys ?? []) keys.set(key.id, key);
  }
  return keys;
}

function endOf(key: HostKey | undefined): { ends_at?: Date } {
  return key?.ends_at === undefined ? {} : { ends_at: key.ends_at };
}

function enrollmentRow(
  { hostname, status, key_id, address, enrolled_at, conflict, revoked_why }: Enrollment,
  key: HostKey | undefined,
  now: Date,
): string[] {
  const end = key === undefined ? undefined : showKeyEnd(key, now);
  const notes = {
    pending: conflict === undefined ? 'pending' : `pending (the name is taken: ${conflict})`,
    approved: end === undefined ? 'approved' : `approved (${end})`,
    revoked: revoked_why === undefined ? 'revoked' : `revoked (${revoked_why})`,
  };
  return [hostname, notes[status], key_id, address, showTime(enrolled_at)];
}

function tokenRow(token: Token, now: Date): string[] {
  const { id, uses, used_by, pattern, approve, expires_at, note } = token;
  return [
    id,
    stateOf(token, now),
    `${used_by.length} of ${uses}`,
    pattern ?? 'any',
    approve ? 'at once' : 'no',
    showTime(expires_at),
    note ?? '',
  ];
}

function stateOf(
  { revoked_at, expires_at, used_by, uses }: Omit<Token, 'hash'>,
  now: Date,
): 'valid' | 'revoked' | 'expired' | 'used up' {
  if (revoked_at !== undefined) return 'revoked';
  if (expires_at <= now) return 'expired';
  return used_by.length >= uses ? 'used up' : 'valid';
}
