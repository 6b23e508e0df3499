import { join } from 'node:path';
import { Command } from 'commander';
import { keyIdOf } from '../crypto/ed25519.ts';
import { describeKeys } from '../crypto/openpgp.ts';
import { isRevoked } from '../crypto/order-trust.ts';
import { answerKeyFile, loadAnswerKeys } from '../settings/answer-key-files.ts';
import { FIRST_ORDER_KEY } from '../settings/first-order-key.ts';
import { loadOrderKeys, loadRevocations, orderKeyFile } from '../settings/order-key-files.ts';
import type { SignedRotation } from '../wire/v2/answer-keys.ts';
import type { RevocationList } from '../wire/v2/revocations.ts';
import type { AdminContext } from './context.ts';
import { exists } from './ensure-files.ts';
import { showTime } from './show-time.ts';

/** `penguindome keys list`: what agents trust this server by. */
export function keysList(context: AdminContext): Command {
  return new Command('list')
    .description("the server's keys: fingerprints, since when and until when each counts")
    .addHelpText('after', EXAMPLES)
    .action(() => listKeys(context));
}

const EXAMPLES = `
"answer" signs what the server says to agents: penguindome-agent status shows the same fingerprint and number. "order" signs orders.

Examples:
  penguindome keys list
  penguindome keys list --json | jq -r '.keys[] | select(.state == "present") | .fingerprint'`;

interface ListedKey {
  kind: 'answer' | 'order';
  /** how many there were before it */
  number: number;
  fingerprint: string;
  /** absent for the first answer key: nobody wrote that down */
  since?: Date;
  until?: Date;
  state: 'present' | 'overlap' | 'ended' | 'revoked';
  /** the secret half, where it is there */
  file?: string;
}

async function listKeys(context: AdminContext): Promise<void> {
  const { output, clock } = context;
  const { keys } = await context.settings();
  const { newest, rotations } = await loadAnswerKeys({ keys });
  const first = rotations[0]?.statement.old_key ?? newest.key.publicKey;
  const answers = [
    await listed(keys, { number: 0, key: first, ended: rotations[0] }, clock.now()),
    ...(await Promise.all(
      rotations.map(({ statement }, index) =>
        listed(
          keys,
          { number: statement.number, key: statement.new_key, ended: rotations[index + 1], since: statement.made_at },
          clock.now(),
        ),
      ),
    )),
  ].reverse();
  const revocations = (await loadRevocations({ keys }))?.statement ?? null;
  const all = [...answers, ...(await listOrderKeys(keys, clock.now()))].map((key) =>
    isRevoked(revocations, key.kind, key.fingerprint) ? { ...key, state: 'revoked' as const } : key,
  );
  if (output.wantsJson) {
    output.json({ keys: all, revocations });
    return;
  }
  output.table(
    ['KEY', 'NUMBER', 'FINGERPRINT', 'SINCE', 'UNTIL', 'STATE'],
    all.map(({ kind, number, fingerprint, since, until, state }) => [
      kind,
      String(number),
      fingerprint,
      showTime(since),
      showTime(until),
      state,
    ]),
  );
  if (revocations !== null) printRevocations(context, revocations);
  for (const { state, file } of all) {
    if ((state === 'ended' || state === 'revoked') && file !== undefined)
      output.note(`${file} is of no use any more, but to whoever steals it: remove it, or let the next rotation do so`);
  }
}

async function listed(
  keys: string,
  one: { number: number; key: string; ended: SignedRotation | undefined; since?: string },
  now: Date,
): Promise<ListedKey> {
  const until = one.ended === undefined ? undefined : new Date(one.ended.statement.overlap_until);
  const file = join(keys, answerKeyFile(one.number));
  return {
    kind: 'answer',
    number: one.number,
    fingerprint: keyIdOf(one.key),
    ...(one.since === undefined ? {} : { since: new Date(one.since) }),
    ...(until === undefined ? {} : { until }),
    state: until === undefined ? 'present' : now < until ? 'overlap' : 'ended',
    ...((await exists(file)) ? { file } : {}),
  };
}

function printRevocations({ output }: AdminContext, { number, revoked }: RevocationList): void {
  output.line();
  output.line(`revoked, by list ${number}:`);
  output.table(
    ['KEY', 'FINGERPRINT', 'SINCE', 'WHY'],
    revoked.map(({ kind, fingerprint, at, why }) => [kind, fingerprint, showTime(new Date(at)), why]),
  );
}

/** Newest first. */
async function listOrderKeys(keys: string, now: Date): Promise<ListedKey[]> {
  if (!(await exists(join(keys, FIRST_ORDER_KEY)))) return [];
  const { first, present, statements } = await loadOrderKeys({ keys }, now);
  const [made] = await describeKeys(first.key);
  const all = [
    { number: 0, fingerprint: first.fingerprint, ...(made === undefined ? {} : { since: made.createdAt }) },
    ...statements.map(({ statement }) => ({
      number: statement.number,
      fingerprint: statement.new_fingerprint,
      since: new Date(statement.made_at),
    })),
  ];
  const listed = await Promise.all(
    all.map(async (one, index): Promise<ListedKey> => {
      const until = all[index + 1]?.since;
      const file = join(keys, orderKeyFile(one.number));
      return {
        kind: 'order',
        ...one,
        ...(until === undefined ? {} : { until }),
        state: one.number === present.number ? 'present' : 'ended',
        ...((await exists(file)) ? { file } : {}),
      };
    }),
  );
  return listed.reverse();
}
