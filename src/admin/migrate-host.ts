import { Command, InvalidArgumentError, Option } from 'commander';
import type { Token } from '../core/enrollment.ts';
import { OperatorError } from '../core/errors.ts';
import { type Host, isSameName } from '../core/host.ts';
import type { PatchRecord } from '../core/patch.ts';
import type { Store } from '../store/port.ts';
import { commandPath } from '../wire/v1/client-path.ts';
import { composeToken } from './compose-token.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { findHost } from './find-host.ts';
import { LASTS } from './migrate-moving.ts';
import { showAge, showTime } from './show-time.ts';
import { makePatch } from './v1/make-patch.ts';
import { isPackageUrl, moveScript, type PackageSource } from './v1/move-script.ts';
import { openSigner } from './v1/open-signer.ts';

export function migrateHost(context: AdminContext): Command {
  return new Command('host')
    .description('moves one host over: its original client installs our agent, which enrols and waits for approval')
    .argument('<host>', 'its name')
    .addOption(
      new Option(
        '--package-url <url>',
        'where the host fetches the package of the agent: .deb, .rpm or .pkg.tar.zst',
      ).argParser(readUrl),
    )
    .addOption(new Option('--sha256 <hex>', 'of that package; the host installs no other').argParser(readSha256))
    .addOption(
      new Option('--from-repository', "out of the host's own package repositories, which have it already").conflicts([
        'packageUrl',
        'sha256',
      ]),
    )
    .addHelpText('after', EXAMPLES)
    .action((hostname: string, options: MoveOptions) => moveHost(context, hostname, options));
}

const EXAMPLES = `
The host gets a one-time command, signed by the original server's key, that installs penguindome-agent and enrols it by a token which
is good for this name alone, once, and for a day. Whoever has the key that all original clients share could fetch it, too: that is why
the enrolment waits until you have compared the key with what \`penguindome-agent status\` shows on the machine itself, and approve it.
The host keeps its history then, and its original client is refused from then on.

Examples:
  penguindome migrate host lap-17 --package-url https://dome.example/penguindome-agent.deb --sha256 "$(sha256sum <penguindome-agent.deb | cut -c 1-64)"
  penguindome migrate host lap-17 --from-repository
  penguindome migrate status
  penguindome enrollment approve lap-17`;

interface MoveOptions {
  packageUrl?: string;
  sha256?: string;
  fromRepository?: boolean;
}

async function moveHost(context: AdminContext, wanted: string, options: MoveOptions): Promise<void> {
  const source = sourceOf(options);
  await needV1(context);
  const store = await context.store();
  const host = await findHost(store, wanted);
  await refuseMoved(store, host);
  const { hostname } = host;
  context.concerns([hostname]);
  const { patch, token } = await orderMove(context, hostname, source);
  const { expires_at } = token;
  if (context.output.wantsJson) {
    context.output.json({ hostname, patch: patch.id, command: patch.command, token: token.id, expires_at });
  } else tellNext(context, host, expires_at);
}

async function needV1({ settings }: AdminContext): Promise<void> {
  if ((await settings()).v1.enabled) return;
  throw new OperatorError('cannot reach hosts that run the original client: penguindome settings set v1.enabled true', {
    exitCode: EXIT.notSetUp,
  });
}

async function orderMove(
  context: AdminContext,
  hostname: string,
  source: PackageSource,
): Promise<{ patch: PatchRecord; token: Token }> {
  const store = await context.store();
  // that it can sign is known before anything is stored
  await openSigner(context);
  const removed = await endFormer(context, store, hostname);
  const note = noteFor(hostname);
  const wanted = { expires: LASTS, uses: 1, pattern: hostname, approve: false, note };
  const { token, text } = await composeToken(context, wanted);
  const content = Buffer.from(moveScript({ hostname, source, token: text, ends: token.expires_at }));
  // The token first: without the patch nobody has it.
  await store.tokens.insert(token);
  const by = await context.operator();
  const wish = { purpose: 'migration', name: 'penguindome-move', content, removed } as const;
  const patch = await makePatch(context, wish, { hosts: [hostname], by, why: 'move over to penguindome-agent' });
  return { patch, token };
}

function sourceOf({ packageUrl, sha256, fromRepository }: MoveOptions): PackageSource {
  if (fromRepository === true) return { from: 'repository' };
  if (packageUrl !== undefined && sha256 !== undefined) return { from: 'url', url: packageUrl, sha256 };
  throw new OperatorError(
    'cannot tell where the agent comes from: expected --package-url and --sha256, or --from-repository',
    { exitCode: EXIT.usage },
  );
}

async function refuseMoved(store: Store, { hostname, identity }: Host): Promise<void> {
  if (identity !== undefined) throw new OperatorError(`cannot move ${hostname} over: it has enrolled already`);
  if (await store.enrollments.everApproved(hostname)) {
    throw new OperatorError(
      `cannot move ${hostname} over: a host of that name had enrolled, so that its original client is refused; install the agent there and enrol it (penguindome enrollment token)`,
    );
  }
  const waiting = (await store.enrollments.list()).find(
    (each) => each.status === 'pending' && isSameName(each.hostname, hostname),
  );
  if (waiting === undefined) return;
  throw new OperatorError(
    `cannot move ${hostname} over: its key ${waiting.key_id} waits for approval already (penguindome enrollment approve ${hostname}). ` +
      `If that is another machine's, revoke it (penguindome enrollment revoke ${waiting.key_id}), and move it then.`,
  );
}

/** What was said before would only meet a token that has ended. @returns the commands that the host has of it */
async function endFormer({ clock }: AdminContext, store: Store, hostname: string): Promise<string[]> {
  const fetched: string[] = [];
  for await (const { id, purpose, command, pending_hosts, completed_hosts } of store.patches.list()) {
    if (purpose !== 'migration') continue;
    if (pending_hosts.includes(hostname)) await store.patches.cancel(id);
    if (completed_hosts.includes(hostname) && command !== undefined) fetched.push(commandPath(command));
  }
  const note = noteFor(hostname);
  for (const token of await store.tokens.list()) {
    if (token.note === note && token.revoked_at === undefined) await store.tokens.revoke(token.id, clock.now());
  }
  return fetched;
}

const noteFor = (hostname: string): string => `migrate host ${hostname}`;

function tellNext({ output, clock }: AdminContext, { hostname, submitted_at }: Host, ends: Date): void {
  output.line(`${hostname} is told to come over, until ${showTime(ends)}`);
  output.line('penguindome migrate status shows how far it is; when it waits: penguindome enrollment approve');
  const now = clock.now();
  if (submitted_at === undefined || now.getTime() - submitted_at.getTime() > LASTS) {
    output.note(
      `${hostname} was last seen ${showAge(submitted_at, now)}: if it does not come before that, say it again`,
    );
  }
}

function readUrl(text: string): string {
  if (isPackageUrl(text)) return text;
  throw new InvalidArgumentError(
    'Expected http(s)://… that ends in .deb, .rpm or .pkg.tar.zst, without a user and password.',
  );
}

function readSha256(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('Expected 64 hex digits, as sha256sum prints them.');
}
