import { constants } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { days } from '../core/duration.ts';
import { OperatorError } from '../core/errors.ts';
import { findGnupgKey, type GnupgKey, signWithGnupg } from '../crypto/gnupg.ts';
import { describeKeys, generateOrderKey, publicHalves } from '../crypto/openpgp.ts';
import { type OrderKey, serversWord, takeOrderKey } from '../crypto/order-trust.ts';
import { signDetached } from '../crypto/sign-detached.ts';
import { syncFolder } from '../settings/atomic-write.ts';
import { withLock } from '../settings/lock-file.ts';
import {
  loadOrderKeys,
  loadRevocations,
  ORDER_KEYS,
  type OrderKeys,
  orderKeyFile,
} from '../settings/order-key-files.ts';
import { canonicalJson } from '../wire/v2/digest.ts';
import { ORDER_ROTATION_TYPE, type OrderKeyStatement } from '../wire/v2/order-key.ts';
import { confirm } from './confirm.ts';
import type { AdminContext } from './context.ts';
import { exists, removeUnfinished, writeNew } from './ensure-files.ts';
import { ownerIn } from './is-root.ts';
import { openOrderSigner } from './order-signer.ts';
import { resignOrders } from './resign-orders.ts';
import { signRevocations, writeRevocations } from './revocation-list.ts';
import { tellStatements } from './tell-statements.ts';

interface RotateOptions {
  signWith?: string;
  resign?: true;
  yes?: true;
}

/** Hosts whose clock is a little behind must be able to use the key. */
const DATED_BACK = days(1);

/** `penguindome keys rotate orders`: hosts learn of the new key by a statement that the old one signs. */
export async function rotateOrderKey(context: AdminContext, options: RotateOptions): Promise<void> {
  const { output, signal } = context;
  if (options.signWith === undefined) {
    output.note(
      'Hosts with `command_authorization: operator` follow only where an operator signs too: --sign-with KEY.',
    );
    await confirm(context, 'Replace the order key on the word of the server alone?', options);
  }
  const operator = options.signWith === undefined ? undefined : await findGnupgKey(options.signWith, signal);
  const rotated = await withLock(context, `${context.settingsFile()}.lock`, () => rotate(context, operator));
  const done = {
    ...rotated,
    resigned: options.resign === true ? await resignOrders(context, await keysBefore(context)) : [],
  };
  if (output.wantsJson) return output.json(done);
  output.line(
    done.finished
      ? `order key ${done.number} was made before, and is complete now: ${done.fingerprint}`
      : `order key ${done.number} is made: ${done.fingerprint}`,
  );
  for (const file of done.removed) output.line(`${file} is removed: nothing is signed with it any more`);
  for (const id of done.resigned) output.line(`order ${id} is signed with it, too`);
  output.note(
    `What the old key signed before counts still. To end that too: penguindome keys revoke order ${done.replaced.fingerprint}`,
  );
  output.note('Then back up the keys anew: penguindome backup --with-keys --to KEY FILE');
}

/** All that signed before the present one. */
async function keysBefore(context: AdminContext): Promise<OrderKey[]> {
  const { first, statements } = await loadOrderKeys(await context.settings(), context.clock.now());
  const keys = statements.map(({ statement: { number, new_fingerprint, new_key } }) => {
    return { number, fingerprint: new_fingerprint, key: new_key };
  });
  return [first, ...keys].slice(0, -1);
}

interface Rotated {
  number: number;
  fingerprint: string;
  replaced: { number: number; fingerprint: string };
  removed: string[];
  /** a rotation that was cut off is complete now, and no further one was made */
  finished: boolean;
}

async function rotate(context: AdminContext, operator: GnupgKey | undefined): Promise<Rotated> {
  const { keys } = await context.settings();
  const { clock } = context;
  await removeUnfinished(keys);
  // Tells the store what a crash kept from it.
  const signer = await openOrderSigner(context);
  const loaded = await loadOrderKeys({ keys }, clock.now());
  const last = loaded.statements.at(-1)?.statement;
  const left = await removeReplaced(keys, loaded.present.number);
  if (left.length > 0 && last !== undefined) {
    const replaced = { number: last.number - 1, fingerprint: last.old_fingerprint };
    return { number: last.number, fingerprint: last.new_fingerprint, replaced, removed: left, finished: true };
  }
  const { number, fingerprint } = signer.key;
  if ((await (await context.store()).orders.statements('order-key', number)).length > 0) {
    throw new OperatorError(
      `cannot rotate: the store holds order keys above number ${number}, which this server never made, so that hosts would not learn of a new one; somebody changed it. Restore a backup (penguindome restore)`,
    );
  }
  const made = await commit(context, loaded, operator, (text) => signer.sign(text));
  const after = await loadOrderKeys({ keys }, clock.now());
  await tellStatements(await context.store(), { ...after, revocations: await loadRevocations({ keys }) }, clock.now());
  const removed = await removeReplaced(keys, made.number);
  return {
    number: made.number,
    fingerprint: made.fingerprint,
    replaced: { number, fingerprint },
    removed,
    finished: false,
  };
}

/**
 * The key's own file first, then the list of revocations by that key, then the statements: that these name the key is what makes the
 * rotation. Cut off before, nothing has changed but that the next rotation finds its key there.
 */
async function commit(
  context: AdminContext,
  { present, statements }: OrderKeys,
  operator: GnupgKey | undefined,
  sign: (text: string) => Promise<string>,
): Promise<OrderKey> {
  const { keys } = await context.settings();
  const { clock, signal } = context;
  const owner = await ownerIn(keys);
  const next = await ensureKey(keys, present.number + 1, clock.now());
  const statement: OrderKeyStatement['statement'] = {
    type: ORDER_ROTATION_TYPE,
    number: next.number,
    old_fingerprint: present.fingerprint,
    new_fingerprint: next.fingerprint,
    new_key: next.key,
    made_at: clock.now().toISOString(),
  };
  const text = canonicalJson(statement);
  const document: OrderKeyStatement = { statement, signature: await sign(text) };
  if (operator !== undefined)
    document.operator_signature = await signWithGnupg(operator, text, () => clock.now(), signal);
  const taken = await takeOrderKey(serversWord(present), document, clock.now());
  if (!taken.ok) throw new OperatorError(`cannot rotate: hosts would refuse it: ${taken.reason}`);
  const revocations = await loadRevocations({ keys });
  if (revocations !== undefined) {
    const signNew = (list: string) => signDetached({ secretKey: next.secretKey, text: list, at: clock.now() });
    const { revoked, number } = revocations.statement;
    const again = { ...revocations.statement, number: number + 1, made_at: clock.now().toISOString(), revoked };
    await writeRevocations(keys, await signRevocations(context, again, signNew, operator));
  }
  const list = { statements: [...statements, document] };
  await writeNew(join(keys, ORDER_KEYS), `${JSON.stringify(list, null, 1)}\n`, 0o644, owner);
  return next;
}

/** Its secret half is ours alone, as `setup` has it: neither readable by the server's user nor, where they put one there, used. */
async function ensureKey(keys: string, number: number, now: Date): Promise<OrderKey & { secretKey: string }> {
  const file = join(keys, orderKeyFile(number));
  const createdAt = new Date(now.getTime() - DATED_BACK);
  const there = await readOwn(file);
  const secretKey = there ?? (await generateOrderKey({ userId: 'penguindome-server', createdAt })).secretKey;
  const [key, ...others] = await describeKeys(secretKey).catch(() => []);
  if (key === undefined || key.kind !== 'secret' || others.length > 0) {
    throw new OperatorError(`cannot use ${file}: it is no OpenPGP secret key without a passphrase; move it away`);
  }
  if (there === undefined) await writeNew(file, secretKey, 0o600);
  return { number, fingerprint: key.fingerprint, key: await publicHalves(secretKey), secretKey };
}

/** Owner and content of one and the same file: who owns the folder may swap it in between. @returns undefined for another's, or a link */
async function readOwn(file: string): Promise<string | undefined> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );
  if (handle === undefined) return undefined;
  try {
    const stats = await handle.stat();
    return stats.isFile() && stats.uid === process.geteuid?.() ? await handle.readFile('utf8') : undefined;
  } finally {
    await handle.close();
  }
}

/** Secret keys that signed before this one. @returns their files */
async function removeReplaced(keys: string, present: number): Promise<string[]> {
  const removed: string[] = [];
  for (let number = 0; number < present; number++) {
    const file = join(keys, orderKeyFile(number));
    if (!(await exists(file))) continue;
    await unlink(file);
    removed.push(file);
  }
  if (removed.length > 0) await syncFolder(keys);
  return removed;
}
