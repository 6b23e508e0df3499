import { Argument, Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import type { KeyId } from '../core/host.ts';
import { keyIdOf } from '../crypto/ed25519.ts';
import { findGnupgKey, type GnupgKey } from '../crypto/gnupg.ts';
import { isRevoked, serversWord, takeRevocations } from '../crypto/order-trust.ts';
import { loadAnswerKeys } from '../settings/answer-key-files.ts';
import { withLock } from '../settings/lock-file.ts';
import { loadOrderKeys, loadRevocations } from '../settings/order-key-files.ts';
import type { Store } from '../store/port.ts';
import {
  REVOCATIONS_TYPE,
  type RevocationList,
  type RevocationStatement,
  readRevocations,
} from '../wire/v2/revocations.ts';
import { OPENPGP_FINGERPRINT } from '../wire/v2/signed-statement.ts';
import { confirm } from './confirm.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { readWhy, signWithOption } from './order-options.ts';
import { type OrderSigner, openOrderSigner } from './order-signer.ts';
import { signRevocations, writeRevocations } from './revocation-list.ts';
import { revokeKey } from './revoke-key.ts';
import { asFields } from './tell-statements.ts';

const KINDS = ['order', 'operator', 'host', 'answer'] as const;
type Kind = (typeof KINDS)[number];

interface RevokeOptions {
  why: string;
  signWith?: string;
  yes?: true;
}

/** `penguindome keys revoke KIND FINGERPRINT`: nobody is to trust that key any more, from the next list on for good. */
export function keysRevoke(context: AdminContext): Command {
  return new Command('revoke')
    .description('put a key on the next numbered list of revocations, which hosts obey')
    .addArgument(new Argument('<kind>', 'what the key is').choices([...KINDS]))
    .argument('<fingerprint>', 'whole, as penguindome keys list or gpg --fingerprint shows it')
    .requiredOption('--why <text>', 'one line; it stands in the list', readReason)
    .addOption(signWithOption())
    .option('--yes', 'without asking')
    .addHelpText('after', EXAMPLES)
    .action((kind: Kind, fingerprint: string, options: RevokeOptions) => revoke(context, kind, fingerprint, options));
}

const EXAMPLES = `
order: a key that signed orders, after penguindome keys rotate orders. operator: a key of trust.d on the hosts. answer: a key that signed
answers, after penguindome keys rotate server; hosts keep that in the list, and what ends the key itself is the end of the rotation's overlap. host: a host's own key, which is refused here too, as by penguindome enrollment revoke.
A revocation is never taken back. Hosts with \`command_authorization: operator\` take a list only where an operator has signed it too.
Write -- before a fingerprint that begins with a hyphen.

Examples:
  penguindome keys revoke operator 5E1D0C0F5C3B1A2D4E5F60718293A4B5C6D7E8F9 --why 'ben has left' --sign-with ann@example.org
  penguindome keys revoke order 0A1B2C3D4E5F60718293A4B5C6D7E8F901234567 --why 'backup tape lost' --yes
  penguindome keys list`;

async function revoke(context: AdminContext, kind: Kind, wanted: string, options: RevokeOptions): Promise<void> {
  const { output, signal } = context;
  const fingerprint =
    kind === 'order' || kind === 'operator' ? wanted.replaceAll(/^0x|\s/gi, '').toUpperCase() : wanted;
  await refuseUnfit(context, kind, fingerprint);
  const operator = options.signWith === undefined ? undefined : await findGnupgKey(options.signWith, signal);
  if (operator !== undefined && kind === 'operator' && operator.fingerprint === fingerprint) {
    throw new OperatorError(`cannot revoke ${fingerprint} on its own word: sign with another key`, {
      exitCode: EXIT.usage,
    });
  }
  await confirm(context, `Put the ${kind} key ${fingerprint} on the list of revocations, for good?`, options);
  const entry = { kind, fingerprint, why: options.why };
  const number = await withLock(context, `${context.settingsFile()}.lock`, () => addToList(context, entry, operator));
  if (kind === 'host') await revokeKey(context, fingerprint as KeyId, options.why);
  if (output.wantsJson)
    return output.json({ kind, fingerprint, number, why: options.why, signed_with: operator?.fingerprint ?? null });
  output.line(
    `the ${kind} key ${fingerprint} is revoked, by list ${number}; hosts learn of it when they next ask for orders`,
  );
  if (kind === 'order' || kind === 'operator')
    output.note(
      'What is under way and has no other signature, hosts refuse from then on: penguindome orders list --open',
    );
  if (operator === undefined)
    output.note(
      "Hosts with `command_authorization: operator` take it only with an operator's signature: the next list that is made with --sign-with holds this key, too.",
    );
}

async function isRefusedHere({ hosts, enrollments }: Store, key: KeyId): Promise<boolean> {
  const held = (await hosts.findByKey(key))?.identity.keys.find(({ id }) => id === key);
  return held === undefined ? (await enrollments.find(key))?.status === 'revoked' : held.revoked_at !== undefined;
}

/** @returns the number of the list that holds it */
async function addToList(
  context: AdminContext,
  { kind, fingerprint, why }: { kind: Kind; fingerprint: string; why: string },
  operator: GnupgKey | undefined,
): Promise<number> {
  const { keys } = await context.settings();
  const store = await context.store();
  const signer = await openOrderSigner(context);
  const base = await lastList(context, store, signer);
  if (isRevoked(base.list, kind, fingerprint)) {
    // cut off behind the list: the rest of it is still to do
    if (kind === 'host' && !(await isRefusedHere(store, fingerprint as KeyId))) return base.number;
    throw revokedBefore(base.list, kind, fingerprint);
  }
  const at = context.clock.now().toISOString();
  const number = base.number + 1;
  const revoked = [...(base.list?.revoked ?? []), { kind, fingerprint, at, why }];
  const list: RevocationList = { type: REVOCATIONS_TYPE, number, made_at: at, revoked };
  const document = await signRevocations(context, list, (text) => signer.sign(text), operator);
  // Outside the store first, so that no backup that is restored later goes back behind it.
  await writeRevocations(keys, document);
  if (await store.orders.putStatement({ kind: 'revocations', number, document: asFields(document) })) return number;
  throw new OperatorError(`cannot tell hosts of list ${number}: the store has a newer one; run the command again`);
}

/** A typing error must not look like a revocation, nor must the server lock itself out. */
async function refuseUnfit(context: AdminContext, kind: Kind, fingerprint: string): Promise<void> {
  const { keys } = await context.settings();
  const refuse = (why: string) => {
    throw new OperatorError(`cannot revoke the ${kind} key ${fingerprint}: ${why}`, { exitCode: EXIT.usage });
  };
  const openPgp = kind === 'order' || kind === 'operator';
  if (!(openPgp ? OPENPGP_FINGERPRINT : /^[A-Za-z0-9_-]{43}$/).test(fingerprint)) {
    refuse(
      openPgp ? 'expected 40 hex digits, the fingerprint of the primary key' : 'expected the 43 characters of a key',
    );
  }
  if (kind === 'order') {
    const { first, present, statements } = await loadOrderKeys({ keys }, context.clock.now());
    if (present.fingerprint === fingerprint) refuse('it signs now; first replace it: penguindome keys rotate orders');
    const known = [first.fingerprint, ...statements.map(({ statement }) => statement.new_fingerprint)];
    if (!known.includes(fingerprint)) refuse('this server never had it; penguindome keys list shows its keys');
  }
  if (kind === 'answer') {
    const { newest, rotations } = await loadAnswerKeys({ keys });
    if (newest.key.id === fingerprint)
      refuse('it signs now; first replace it: penguindome keys rotate server --overlap 0s');
    if (!rotations.some(({ statement }) => keyIdOf(statement.old_key) === fingerprint)) {
      refuse('this server never had it; penguindome keys list shows its keys');
    }
  }
  if (kind === 'host') {
    const store = await context.store();
    const key = fingerprint as KeyId;
    const held = await store.hosts.findKey(key);
    if (held === undefined && (await store.enrollments.find(key)) === undefined) {
      refuse('no host has it; penguindome hosts show HOST shows the keys of a host');
    }
    if (held !== undefined) context.concerns([held.hostname]);
  }
}

/** The newest there is, of the file and of the store: that one may be newer where the file came out of a backup. */
async function lastList(
  context: AdminContext,
  { orders }: Store,
  { key }: OrderSigner,
): Promise<{ list: RevocationList | null; number: number }> {
  const { keys } = await context.settings();
  const file = (await loadRevocations({ keys }))?.statement ?? null;
  const stored = (await orders.statements('revocations', file?.number ?? 0)).at(-1);
  if (stored === undefined) return { list: file, number: file?.number ?? 0 };
  if (stored.number > MOST_LISTS) {
    throw new OperatorError(
      `cannot revoke: the store holds a list number ${stored.number}, which this server never made`,
    );
  }
  const newer = await readStored(stored.document);
  const taken =
    newer === undefined ? undefined : await takeRevocations(serversWord(key, file), newer, context.clock.now());
  // Whoever writes to the database could put anything there: what does not verify only uses up its number.
  return { list: taken?.ok === true ? taken.trust.revocations : file, number: stored.number };
}

/** Hosts never take a lower number than the last: one that somebody wrote into the store must not use up all there are. */
const MOST_LISTS = 1_000_000_000;

async function readStored(document: object): Promise<RevocationStatement | undefined> {
  const read = readRevocations(new TextEncoder().encode(JSON.stringify(document)));
  return read.ok ? read.value : undefined;
}

function revokedBefore(list: RevocationList | null, kind: Kind, fingerprint: string): OperatorError {
  const entry = list?.revoked.find((one) => one.kind === kind && one.fingerprint === fingerprint);
  return new OperatorError(
    `cannot revoke the ${kind} key ${fingerprint}: it is revoked already, since ${entry?.at ?? '?'}`,
  );
}

const MOST_WHY = 500;

function readReason(text: string): string {
  return readWhy(text, MOST_WHY);
}
