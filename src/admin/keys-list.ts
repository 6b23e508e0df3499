import { join } from 'node:path';
import { Command } from 'commander';
import { keyIdOf } from '../crypto/ed25519.ts';
import { describeKeys } from '../crypto/openpgp.ts';
import { answerKeyFile, loadAnswerKeys } from '../settings/answer-key-files.ts';
import type { SignedRotation } from '../wire/v2/answer-keys.ts';
import type { AdminContext } from './context.ts';
import { exists, readIfThere } from './ensure-files.ts';
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
  /** of answer keys: how many there were before it */
  number?: number;
  fingerprint: string;
  /** absent for the first answer key: nobody wrote that down */
  since?: Date;
  until?: Date;
  state: 'present' | 'overlap' | 'ended';
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
  const all = [...answers, ...(await listOrderKey(keys))];
  if (output.wantsJson) {
    output.json({ keys: all });
    return;
  }
  output.table(
    ['KEY', 'NUMBER', 'FINGERPRINT', 'SINCE', 'UNTIL', 'STATE'],
    all.map(({ kind, number, fingerprint, since, until, state }) => [
      kind,
      number === undefined ? '-' : String(number),
      fingerprint,
      showTime(since),
      showTime(until),
      state,
    ]),
  );
  for (const { state, file } of all) {
    if (state === 'ended' && file !== undefined)
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

async function listOrderKey(keys: string): Promise<ListedKey[]> {
  const armored = await readIfThere(join(keys, 'order-public.asc'));
  if (armored === undefined) return [];
  const secret = join(keys, 'order.asc');
  const file = (await exists(secret)) ? { file: secret } : {};
  return (await describeKeys(armored)).map(({ fingerprint, createdAt }) => ({
    kind: 'order',
    fingerprint,
    since: createdAt,
    state: 'present',
    ...file,
  }));
}
