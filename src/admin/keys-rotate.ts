import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { days, type Milliseconds, parseDuration } from '../core/duration.ts';
import { OperatorError } from '../core/errors.ts';
import { type AnswerKeys, signRotation } from '../crypto/answer-keys.ts';
import { generateSigningKey, loadSigningKey, type SigningKey } from '../crypto/ed25519.ts';
import { answerKeyFile, loadAnswerKeys, ROTATIONS } from '../settings/answer-key-files.ts';
import { syncFolder } from '../settings/atomic-write.ts';
import { withLock } from '../settings/lock-file.ts';
import { LONGEST_OVERLAP, MOST_ROTATIONS, type SignedRotation } from '../wire/v2/answer-keys.ts';
import type { AdminContext } from './context.ts';
import { exists, readIfThere, removeUnfinished, writeNew } from './ensure-files.ts';
import { EXIT } from './exit-codes.ts';
import { ownerIn } from './is-root.ts';
import { rotateOrderKey } from './keys-rotate-orders.ts';
import { signWithOption } from './order-options.ts';
import { showTime } from './show-time.ts';

interface RotateOptions {
  overlap?: Milliseconds;
  signWith?: string;
  resign?: true;
  yes?: true;
}

const DEFAULT_OVERLAP = days(7);

/** `penguindome keys rotate server|orders`: agents find the way from the key that they know to the new one by themselves. */
export function keysRotate(context: AdminContext): Command {
  return new Command('rotate')
    .description('replaces a key by a new one, which the old one vouches for')
    .addArgument(
      new Argument(
        '<which>',
        'server: the key that signs answers to agents; orders: the one that signs orders',
      ).choices(['server', 'orders']),
    )
    .addOption(
      new Option('--overlap <duration>', 'of server: how long the old key counts beside the new one')
        .argParser(readOverlap)
        .default(undefined, '7d'),
    )
    .addOption(signWithOption())
    .option('--resign', 'of orders: sign what is under way with the new key too, so that the old one can be revoked')
    .option('--yes', 'of orders: without asking where no operator signs')
    .addHelpText('after', EXAMPLES)
    .action((which: 'server' | 'orders', options: RotateOptions) => rotateWhich(context, which, options));
}

const EXAMPLES = `
Until the overlap ends the server signs with both keys. An agent that meets the new one fetches the rotations, and follows them from
the key that it trusts; one that was off meanwhile does so when it comes back. Where the old key may have been stolen, say --overlap 0s.
A backup with keys (penguindome backup --with-keys) that is older than the rotation cannot speak to agents that know the new key:
make a new one, and never rotate on a copy of the server.
The order key has no overlap: the old secret key is removed at once. What it signed before counts still, until it is revoked (penguindome keys
revoke order). With --resign what is under way is signed with the new key, too, and outlives that: not where the old one may have been stolen.

Examples:
  penguindome keys rotate server
  penguindome keys rotate server --overlap 30d
  penguindome keys rotate orders --sign-with ann@example.org --resign
  penguindome keys list`;

const TELL = 'systemctl reload penguindome-server';

async function rotateWhich(
  context: AdminContext,
  which: 'server' | 'orders',
  { overlap, signWith, resign, yes }: RotateOptions,
): Promise<void> {
  const foreign = which === 'orders' ? (overlap === undefined ? undefined : '--overlap') : signWith && '--sign-with';
  if (foreign !== undefined) {
    throw new OperatorError(`cannot use ${foreign} with ${which}`, { exitCode: EXIT.usage });
  }
  if (which === 'server') return rotate(context, overlap ?? DEFAULT_OVERLAP);
  await rotateOrderKey(context, {
    ...(signWith === undefined ? {} : { signWith }),
    ...(resign === undefined ? {} : { resign }),
    ...(yes === undefined ? {} : { yes }),
  });
}

async function rotate(context: AdminContext, overlap: Milliseconds): Promise<void> {
  const { output, clock } = context;
  const { keys } = await context.settings();
  // The lock of settings and setup: whoever makes keys holds it.
  const made = await withLock(context, `${context.settingsFile()}.lock`, async () => {
    await removeUnfinished(keys);
    const present = await loadAnswerKeys({ keys });
    const { rotation, key } = await commit(keys, present, { now: clock.now(), overlap });
    return { rotation, key, present, removed: await removeEnded(keys, present.rotations, clock.now()) };
  });
  const { statement } = made.rotation;
  if (output.wantsJson) {
    output.json({
      number: statement.number,
      fingerprint: made.key.id,
      replaced: {
        number: statement.number - 1,
        fingerprint: made.present.newest.key.id,
        until: statement.overlap_until,
      },
      removed: made.removed,
      reload: TELL,
    });
    return;
  }
  output.line(`answer key ${statement.number} is made: ${made.key.id}`);
  output.line(`key ${statement.number - 1} counts until ${showTime(new Date(statement.overlap_until))}`);
  for (const file of made.removed) output.line(`${file} is removed: its time was over`);
  output.note(`Tell the server: ${TELL}`);
  output.note('Then back up the keys anew: penguindome backup --with-keys --to KEY FILE');
}

/**
 * First the key's own file, then the list of rotations: that it names the key is what makes the rotation. Cut off between the two,
 * nothing has changed but that the next rotation finds its key there.
 */
async function commit(
  keys: string,
  { newest, rotations }: AnswerKeys,
  { now, overlap }: { now: Date; overlap: Milliseconds },
): Promise<{ rotation: SignedRotation; key: SigningKey }> {
  if (rotations.length >= MOST_ROTATIONS) {
    throw new OperatorError(
      `cannot rotate: agents follow at most ${MOST_ROTATIONS} rotations; set up a server anew, and enrol the machines with it`,
    );
  }
  const owner = await ownerIn(keys);
  const file = join(keys, answerKeyFile(newest.number + 1));
  const pem = (await readIfThere(file)) ?? generateSigningKey();
  const key = loadNew(file, pem);
  if (!(await exists(file))) await writeNew(file, pem, 0o600, owner);
  const rotation = signRotation(newest, key, { madeAt: now, overlapUntil: new Date(now.getTime() + overlap) });
  const chain = { rotations: [...rotations, rotation] };
  await writeNew(join(keys, ROTATIONS), `${JSON.stringify(chain, null, 1)}\n`, 0o644, owner);
  return { rotation, key };
}

function loadNew(file: string, pem: string): SigningKey {
  try {
    return loadSigningKey(pem);
  } catch (cause) {
    throw new OperatorError(`cannot use ${file}: it is no Ed25519 private key in PEM; move it away`, { cause });
  }
}

/** Secret keys whose answers nobody takes any more who knows a newer one; they could only do harm. @returns their files */
async function removeEnded(keys: string, rotations: readonly SignedRotation[], now: Date): Promise<string[]> {
  const ended = rotations.filter(({ statement }) => new Date(statement.overlap_until) <= now);
  const files = ended.map(({ statement }) => join(keys, answerKeyFile(statement.number - 1)));
  const removed: string[] = [];
  for (const file of files) {
    if (!(await exists(file))) continue;
    await unlink(file);
    removed.push(file);
  }
  if (removed.length > 0) await syncFolder(keys);
  return removed;
}

function readOverlap(text: string): Milliseconds {
  const duration = parseDuration(text);
  if (duration === undefined || duration > LONGEST_OVERLAP) {
    throw new InvalidArgumentError('Expected a number and s, m, h or d, such as 7d, of at most 90d.');
  }
  return duration;
}
