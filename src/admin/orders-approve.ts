import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import type { Order } from '../core/order.ts';
import { findGnupgKey, signWithGnupg } from '../crypto/gnupg.ts';
import type { Store } from '../store/port.ts';
import { type Manifest, MOST_SIGNATURES } from '../wire/v2/order.ts';
import { confirm } from './confirm.ts';
import type { AdminContext } from './context.ts';
import { findOrder, manifestOf } from './find-order.ts';
import { judgeSignatures } from './order-signatures.ts';
import { readStoredFile } from './read-stored-file.ts';
import { printFacts, showManifest } from './show-manifest.ts';

interface ApproveOptions {
  signWith: string;
  yes?: true;
}

export function ordersApprove(context: AdminContext): Command {
  return new Command('approve')
    .description("adds a signature of yours to somebody's order, after showing exactly what it says")
    .argument('<order>', 'its id, or the beginning of it')
    .requiredOption(
      '--sign-with <key>',
      'this key of yours, by gpg and its agent: fingerprint, key id or mail address (smart cards work)',
    )
    .option('--yes', 'without asking: you have read it before')
    .addHelpText('after', EXAMPLES)
    .action((order: string, options: ApproveOptions) => approve(context, order, options));
}

const EXAMPLES = `
Where a host's trust.d demands a second operator for a kind of order, that order waits there until this was done.

Examples:
  penguindome orders approve 0199f3c2 --sign-with ben@example.org`;

async function approve(context: AdminContext, wanted: string, { signWith, yes }: ApproveOptions): Promise<void> {
  const { output, clock, signal } = context;
  const store = await context.store();
  const order = await findOrder(store, wanted);
  const manifest = manifestOf(order);
  refuseEnded(order, manifest, clock.now());
  const key = await findGnupgKey(signWith, signal);
  const before = await judgeSignatures(context, order);
  if (before.some(({ fingerprint, fault }) => fingerprint === key.fingerprint && fault === undefined)) {
    throw new OperatorError(
      `cannot approve ${order.id}: ${key.fingerprint} has signed it already; another operator has to`,
    );
  }
  const contents = await readContents(store, manifest);
  if (manifest.targets !== 'all') context.concerns(manifest.targets.map(({ hostname }) => hostname));
  if (!output.wantsJson || yes !== true) print(context, manifest, contents, before);
  await confirm(context, `Sign that with ${key.userId} (${key.fingerprint})?`, yes === undefined ? {} : { yes });
  const signature = await signWithGnupg(key, order.manifest, () => clock.now(), signal);
  if (!(await store.orders.addSignature(order.id, signature, clock.now()))) {
    throw new OperatorError(`cannot approve ${order.id}: it has ended, or has ${MOST_SIGNATURES} signatures`);
  }
  const signatures = order.signatures.length + 1;
  if (output.wantsJson) output.json({ order: order.id, signed_with: key.fingerprint, signatures });
  else output.line(`the order ${order.id} has ${signatures} signatures now; hosts fetch it anew`);
}

/** By what was signed: the store's columns may say something else. */
function refuseEnded({ id, cancelled_at, signatures }: Order, { expires_at }: Manifest, now: Date): void {
  const why =
    cancelled_at !== undefined
      ? 'it is cancelled'
      : new Date(expires_at) <= now
        ? 'it has expired'
        : signatures.length >= MOST_SIGNATURES
          ? `it has ${MOST_SIGNATURES} signatures already`
          : undefined;
  if (why !== undefined) throw new OperatorError(`cannot approve ${id}: ${why}`);
}

/** Whoever signs for a digest must be able to see what it stands for. */
async function readContents(store: Store, { files }: Manifest): Promise<Map<string, Uint8Array>> {
  const contents = new Map<string, Uint8Array>();
  for (const { path, sha256, size } of files) {
    const content = await readStoredFile(store, { sha256, size });
    if (content === undefined) {
      throw new OperatorError(`cannot approve that: ${path} in the store is not the file that was signed`);
    }
    contents.set(path, content);
  }
  return contents;
}

function print(
  { output }: AdminContext,
  manifest: Manifest,
  contents: ReadonlyMap<string, Uint8Array>,
  before: Awaited<ReturnType<typeof judgeSignatures>>,
): void {
  // On standard error where standard output is for JSON.
  const out = output.wantsJson ? { line: (text: string) => output.note(text) } : output;
  printFacts(out, showManifest(manifest));
  for (const { whose, fingerprint, by, fault } of before) {
    printFacts(out, [['signed by', `${whose} (${fingerprint ?? by})${fault === undefined ? '' : `: ${fault}`}`]]);
  }
  for (const [path, content] of contents) {
    out.line('');
    out.line(`--- ${path}`);
    for (const line of showContent(content)) out.line(`  ${line}`);
  }
  out.line('');
}

/** Text as it is; all of it, for what is not shown may be what matters. */
function showContent(content: Uint8Array): string[] {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(content);
    if (!text.includes('\0')) return text.replace(/\n$/, '').split('\n');
  } catch {
    // no text
  }
  return [`(${content.length} bytes that are no text: compare the SHA-256 above with a file that you trust)`];
}
