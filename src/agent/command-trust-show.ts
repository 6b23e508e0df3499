import { messageOf } from '../core/errors.ts';
import { ORDER_KINDS, WIPE_METHODS } from '../core/order.ts';
import type { Operator } from '../crypto/order-signatures.ts';
import type { TrustPolicy } from '../settings/trust-policy.ts';
import { EXIT } from './exit-codes.ts';
import { type DescribedOperator, describeOperators } from './orders/describe-operators.ts';
import { readPolicy } from './orders/read-policy.ts';
import { stateOwner } from './orders/state-owner.ts';
import { readTrustState, type TrustState } from './orders/trust-state.ts';
import type { Session } from './session.ts';
import { readTrust } from './trust.ts';

interface Shown {
  /** null where this host takes no orders at all */
  policy: TrustPolicy | null;
  /** whether policy.yml is there; else these are the defaults */
  written: boolean;
  server: { url: string; pinned_order_key: string } | null;
  /** null where whoever asks may not read it */
  order_key: { number: number; fingerprint: string } | null;
  operators: DescribedOperator[];
  /** fingerprints that count no more; null where whoever asks may not read them */
  revoked: { kind: string; fingerprint: string; at: string; why: string }[] | null;
  problems: string[];
}

/** Explains who may order what here. */
export async function commandTrustShow({ context, places, output }: Session): Promise<number> {
  const server = await readTrust(places);
  const problems = server === undefined ? ['this host is not enrolled: nobody can order anything here'] : [];
  const read = await readPolicy(places, await stateOwner(places));
  if (!read.ok) problems.push(`every order is refused: ${read.reason}`);
  const operators = read.ok ? await describe(read.operators, context.clock.now(), problems) : [];
  const state = await readTrustState(places, server?.order_key ?? '').catch((error: unknown) => {
    if (!isForbidden(error)) problems.push(`no order counts: ${messageOf(error)}`);
    return null;
  });
  const revoked = state?.revocations?.revoked ?? (state === null ? null : []);
  const policy = read.ok ? read.policy : null;
  if (policy?.command_authorization === 'operator' && !operators.some((one) => counts(one, revoked))) {
    problems.push(`operators alone may order here, and none of ${places.operators} can: every order is refused`);
  }
  const shown: Shown = {
    policy,
    written: read.ok && read.written,
    server: server === undefined ? null : { url: server.url, pinned_order_key: server.order_key },
    order_key: orderKeyOf(state),
    operators,
    revoked,
    problems,
  };
  output.json(shown);
  for (const line of linesOf(shown, places.policy)) output.line(line);
  return problems.length === 0 ? EXIT.ok : EXIT.failed;
}

async function describe(operators: readonly Operator[], now: Date, problems: string[]): Promise<DescribedOperator[]> {
  try {
    return await describeOperators(operators, now);
  } catch (error) {
    problems.push(`every order is refused: ${messageOf(error)}`);
    return [];
  }
}

function isForbidden(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM');
}

function orderKeyOf(state: TrustState | null): Shown['order_key'] {
  if (state?.order == null) return null;
  return { number: state.order.number, fingerprint: state.order.fingerprint };
}

function counts({ keys }: DescribedOperator, revoked: Shown['revoked']): boolean {
  return keys.some(({ fingerprint, expired }) => !expired && !isRevoked(revoked, fingerprint));
}

function isRevoked(revoked: Shown['revoked'], fingerprint: string): boolean {
  return revoked?.some((one) => one.kind === 'operator' && one.fingerprint === fingerprint) ?? false;
}

function linesOf(shown: Shown, file: string): string[] {
  return [
    ...shown.problems.map((problem) => `WRONG: ${problem}`),
    ...(shown.policy === null ? [] : policyLines(shown.policy, shown.written, file)),
    ...serverLines(shown),
    ...operatorLines(shown),
    ...(shown.revoked === null ? ['', 'Which keys are revoked only root may see here.'] : []),
  ];
}

function policyLines({ command_authorization, second_approval, wipe }: TrustPolicy, written: boolean, file: string) {
  const source = written ? `By ${file}:` : `There is no ${file}; these are the defaults:`;
  const who =
    command_authorization === 'server'
      ? '- Who holds the order key of the server may order: its signature is enough.'
      : "- The server cannot order anything by itself: each order needs an operator's own signature.";
  const needed = ORDER_KINDS.filter((kind) => second_approval.includes(kind));
  const second =
    command_authorization === 'server'
      ? `- These need two signatures, the server's and an operator's or those of two operators: ${needed.join(', ')}.`
      : `- These need the signatures of two operators: ${needed.join(', ')}.`;
  const on = WIPE_METHODS.filter((method) => wipe[method]);
  const off = WIPE_METHODS.filter((method) => !wipe[method]);
  return [
    source,
    who,
    needed.length === 0 ? '- No order needs a second approval.' : second,
    `- Wipe by ${on.length === 0 ? 'no method at all' : on.join(', ')}${off.length === 0 ? '' : `; switched off: ${off.join(', ')}`}.`,
  ];
}

function serverLines({ server, order_key }: Shown): string[] {
  if (server === null) return [];
  const now =
    order_key === null
      ? 'which one it signs with now only root may see, or it has not come yet'
      : order_key.fingerprint === server.pinned_order_key
        ? 'it signs with that one still'
        : `it signs with number ${order_key.number} now, ${order_key.fingerprint}, which follows from that`;
  return ['', `Server ${server.url}`, `- Enrolment pinned its order key ${server.pinned_order_key}; ${now}.`];
}

function operatorLines({ operators, revoked, policy }: Shown): string[] {
  if (policy === null) return [];
  if (operators.length === 0) return ['', 'No operator has a key of his own here.'];
  const lines = operators.flatMap(({ name, keys }) =>
    keys.map(({ fingerprint, expired }) => {
      const fault = isRevoked(revoked, fingerprint) ? ' (revoked: it counts no more)' : expired ? ' (expired)' : '';
      return `- ${name}  ${fingerprint}${fault}`;
    }),
  );
  return ['', 'Operators who may sign', ...lines];
}
