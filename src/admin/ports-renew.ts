import { Command } from 'commander';
import { type Milliseconds, parseDuration } from '../core/duration.ts';
import { OperatorError } from '../core/errors.ts';
import { certificateFacts } from '../crypto/server-certificate.ts';
import { type CertificateChange, type Held, readHeld, replaceOne } from './change-certificate.ts';
import { changePorts, tellChange } from './change-ports.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { type FoundPort, portName } from './find-port.ts';
import { signerHere } from './provide-certificate.ts';
import { showTime } from './show-time.ts';

interface Renewed {
  port: string;
  fingerprint: string;
  names: string[];
  ends: Date;
}

/** `penguindome ports renew`: what penguindome-certificates.timer calls. */
export function portsRenew(context: AdminContext): Command {
  return new Command('renew')
    .description("renew the certificates by the site's CA that end soon, on all ports")
    .option('--within <duration>', 'what ends within this time', '30d')
    .addHelpText('after', EXAMPLES)
    .action(({ within }: { within: string }) => renew(context, durationIn(within)));
}

const EXAMPLES = `
Each is made anew for the names that it was for, as \`penguindome ports certificate\` does it. Certificates of your own are left alone: whoever
made them renews them. One by the site's CA that has ended already is renewed too.

Examples:
  penguindome ports renew
  penguindome ports renew --within 90d`;

function durationIn(text: string): Milliseconds {
  const parsed = parseDuration(text);
  if (parsed !== undefined) return parsed;
  throw new OperatorError(`cannot understand --within ${text}: expected a number and s, m, h or d, such as 30d`, {
    exitCode: EXIT.usage,
  });
}

async function renew(context: AdminContext, within: Milliseconds): Promise<void> {
  const renewed: Renewed[] = [];
  for (;;) {
    context.signal.throwIfAborted();
    const one = await renewOne(context, within, renewed);
    if (one === undefined) break;
    renewed.push(one);
  }
  tell(context, renewed);
}

/** One at a time, since settings are read anew for each: nothing is done by halves. What this run has made itself is new enough. */
async function renewOne(
  context: AdminContext,
  within: Milliseconds,
  done: readonly Renewed[],
): Promise<Renewed | undefined> {
  let renewed: Renewed | undefined;
  await changePorts(context, async (settings, files) => {
    for (const [index, port] of settings.ports.entries()) {
      const held = await readHeld({ index, port });
      const old = held.map((one) => (isAmong(done, one) ? { ...one, pem: undefined } : one));
      const which = await endingOne(context, settings, old, within);
      if (which === undefined) continue;
      const change = await replaceOne(context, { index, port, settings, held, flags: {}, force: false, files }, which);
      renewed = factsOf({ index, port }, change);
      return change.edits;
    }
    return [];
  });
  return renewed;
}

function isAmong(done: readonly Renewed[], { pem }: Held): boolean {
  return pem !== undefined && done.some(({ fingerprint }) => fingerprint === certificateFacts(pem).fingerprint);
}

/** @returns which of a port's certificates is by the site's CA and ends soon */
async function endingOne(
  { clock }: AdminContext,
  settings: Parameters<typeof signerHere>[0],
  held: readonly Held[],
  within: Milliseconds,
): Promise<number | undefined> {
  const limit = clock.now().getTime() + within;
  for (const [which, { pem }] of held.entries()) {
    if (pem === undefined || (await signerHere(settings, pem)) !== 'site') continue;
    if (certificateFacts(pem).ends.getTime() < limit) return which;
  }
  return undefined;
}

function factsOf({ port }: FoundPort, { provided }: CertificateChange): Renewed | undefined {
  if (provided === undefined) return undefined;
  const { fingerprint, names, ends } = certificateFacts(provided.pem);
  return { port: portName(port), fingerprint, names, ends };
}

function tell(context: AdminContext, renewed: readonly Renewed[]): void {
  if (renewed.length === 0 && !context.output.wantsJson) {
    context.output.line("no certificate by the site's CA ends soon");
    return;
  }
  const lines = renewed.map(
    ({ port, fingerprint, names, ends }) =>
      `port ${port} shows from the next reload on: ${fingerprint}, until ${showTime(ends)}, for ${names.join(', ')}`,
  );
  tellChange(context, { changed: renewed.length > 0, sentence: lines.join('\n'), facts: { renewed } });
}
