import { spawn } from 'node:child_process';
import { minutes } from '../core/duration.ts';
import { OperatorError } from '../core/errors.ts';
import { readPublicKeys, verifyDetached } from './openpgp.ts';

/** A key of whoever runs this, as their GnuPG knows it: its secret half may lie on a smart card. */
export interface GnupgKey {
  /** as gpg is told of it: a fingerprint, perhaps of a subkey and with `!` behind it */
  name: string;
  /** of the primary key, upper-case hex */
  fingerprint: string;
  /** the first user id */
  userId: string;
  /** armored */
  publicKey: string;
}

/** Somebody may have to look for their card, and its PIN. */
const PATIENCE = minutes(10);
const MOST_OUTPUT = 1024 * 1024;

/**
 * Finds the one key that is meant, whose secret half is there or on a known card.
 * @param wanted fingerprint, key id, mail address or name, as gpg's --local-user takes it
 */
export async function findGnupgKey(wanted: string, signal: AbortSignal): Promise<GnupgKey> {
  const { status, out, err } = await runGpg(['--with-colons', '--list-secret-keys', '--', wanted], '', signal);
  const keys = status === 0 ? readListing(out) : [];
  const [key, ...others] = keys;
  if (key === undefined) {
    throw new OperatorError(
      `cannot find the secret key ${wanted} in the keyring of GnuPG (${lastLine(err)}); gpg --list-secret-keys shows those there are. With a smart card, gpg --card-status makes its keys known, where the public half was imported`,
    );
  }
  if (others.length > 0) {
    const list = keys.map(({ fingerprint, userId }) => `  ${fingerprint}  ${userId}`).join('\n');
    throw new OperatorError(`cannot tell which key is meant by ${wanted}; give its fingerprint:\n${list}`);
  }
  const exported = await runGpg(
    ['--armor', '--export-options', 'export-minimal', '--export', '--', key.fingerprint],
    '',
    signal,
  );
  if (exported.status !== 0 || exported.out === '') {
    throw new OperatorError(`cannot export the public half of ${key.fingerprint}: ${lastLine(exported.err)}`);
  }
  // `!` says that this very subkey is to sign
  const exact = /^(?:0x)?[0-9A-Fa-f]{16,64}!$/.test(wanted) ? wanted : key.fingerprint;
  return { ...key, name: exact, publicKey: exported.out };
}

/** The public halves of these fingerprints or key ids that the keyring holds; empty where it holds none, or there is no gpg. */
export async function exportFromKeyring(fingerprints: readonly string[], signal: AbortSignal): Promise<string> {
  if (fingerprints.length === 0) return '';
  const { out } = await runGpg(['--armor', '--export', '--', ...fingerprints], '', signal).catch(() => ({ out: '' }));
  return out;
}

/**
 * Has gpg sign, which asks its agent, which asks for a passphrase or PIN where it must. The text goes in by standard input.
 * @returns an armored detached signature that was checked with the key's public half
 */
export async function signWithGnupg(
  key: GnupgKey,
  text: string,
  now: () => Date,
  signal: AbortSignal,
): Promise<string> {
  const args = ['--local-user', key.name, '--armor', '--digest-algo', 'SHA512', '--detach-sign'];
  const { status, out, err, said } = await runGpg(args, text, signal);
  if (status !== 0) throw new OperatorError(explain(key, said, err));
  const verdict = await verifyDetached({
    armoredSignature: out,
    data: text,
    keys: await readPublicKeys(key.publicKey),
    now: now(),
    maxAge: minutes(5) + PATIENCE,
  });
  if (verdict.ok) return out;
  throw new OperatorError(`cannot use what gpg signed with ${key.fingerprint}: ${verdict.reason}; nothing was ordered`);
}

/** Lines of --with-colons: `sec` begins a key, the first `fpr` behind it is its fingerprint, the first `uid` its name. */
function readListing(text: string): { fingerprint: string; userId: string }[] {
  const keys: { fingerprint: string; userId: string }[] = [];
  for (const line of text.split('\n')) {
    const fields = line.split(':');
    const last = keys.at(-1);
    if (fields[0] === 'sec') keys.push({ fingerprint: '', userId: '' });
    else if (fields[0] === 'fpr' && last?.fingerprint === '') last.fingerprint = fields[9] ?? '';
    else if (fields[0] === 'uid' && last?.userId === '') last.userId = fields[9] ?? '';
  }
  return keys.filter(({ fingerprint }) => /^[0-9A-F]{40,64}$/.test(fingerprint));
}

/** GnuPG's error codes (gpg-error.h), as a status line FAILURE tells them: the upper bits say which part of it failed. */
const NO_PINENTRY =
  'nobody could be asked for the passphrase or PIN: gpg-agent has no pinentry that works here; try export GPG_TTY=$(tty)';
const CODES: Readonly<Record<number, string>> = {
  11: 'the passphrase was wrong',
  17: 'its secret half is not there; is it on a smart card that is not inserted?',
  62: 'the passphrase or PIN was not given in time',
  77: 'gpg-agent cannot be reached',
  85: NO_PINENTRY,
  86: NO_PINENTRY,
  87: 'the PIN was wrong',
  91: 'another smart card is inserted',
  99: 'the question for the passphrase or PIN was cancelled',
  108: 'the smart card does not work',
  110: 'the smart card was removed',
  112: 'the smart card is not inserted',
  130: 'the PIN is blocked',
  198: 'the question for the passphrase or PIN was cancelled',
  // ENOTTY
  32870: NO_PINENTRY,
};

function explain({ fingerprint }: GnupgKey, said: string, err: string): string {
  const failure = /^\[GNUPG:\] FAILURE \S+ (\d+)/m.exec(said)?.[1];
  const known =
    (failure === undefined ? undefined : CODES[Number(failure) & 0xffff]) ??
    (/^\[GNUPG:\] KEYREVOKED/m.test(said) ? 'it is revoked' : undefined) ??
    (/^\[GNUPG:\] KEYEXPIRED/m.test(said) ? 'it has expired' : undefined);
  const words = lastLine(err);
  return `cannot sign with ${fingerprint}: ${known === undefined ? words : `${known} (${words})`}; nothing was ordered`;
}

function lastLine(text: string): string {
  return (
    text
      .trimEnd()
      .split('\n')
      .at(-1)
      ?.replace(/^gpg: /, '') || 'gpg said nothing'
  );
}

interface Ran {
  status: number | null;
  out: string;
  err: string;
  /** lines for programs (--status-fd) */
  said: string;
}

function runGpg(args: readonly string[], input: string, signal: AbortSignal): Promise<Ran> {
  // The environment is the operator's own: GNUPGHOME, GPG_TTY and a forwarded agent are theirs to choose.
  const child = spawn('gpg', ['--batch', '--no-auto-key-locate', '--status-fd', '3', ...args], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    // not spawn's own `timeout`: where there is no gpg, its timer would keep us running
    signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]),
  });
  const read = (fd: 1 | 2 | 3) => {
    let text = '';
    child.stdio[fd]?.on('data', (chunk: Buffer) => {
      if (text.length < MOST_OUTPUT) text += chunk.toString('utf8');
    });
    return () => text;
  };
  const [out, err, said] = [read(1), read(2), read(3)];
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  return new Promise((resolve, reject) => {
    child.on('error', (cause: NodeJS.ErrnoException) => {
      if (cause.name === 'AbortError' && !signal.aborted) {
        reject(new OperatorError('cannot sign: gpg did not come to an end in time; nothing was ordered', { cause }));
        return;
      }
      const missing = cause.code === 'ENOENT';
      reject(
        missing
          ? new OperatorError('cannot find gpg, which --sign-with needs: install GnuPG (package gnupg)', { cause })
          : cause,
      );
    });
    child.on('close', (status) => resolve({ status, out: out(), err: err(), said: said() }));
  });
}
