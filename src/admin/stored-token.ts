import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Token } from '../core/enrollment.ts';
import { messageOf, OperatorError } from '../core/errors.ts';
import { decodeToken } from '../wire/v2/token.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { readServerTrust } from './server-trust.ts';
import { showTime } from './show-time.ts';

export interface StoredToken {
  token: Token;
  /** a secret */
  text: string;
  url: string;
}

/** A token out of a file, as this server knows it. @throws OperatorError for one that lets nobody in */
export async function storedToken(context: AdminContext, file: string): Promise<StoredToken> {
  const text = (
    await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new OperatorError(`cannot read ${file}: ${messageOf(cause)}`, { exitCode: EXIT.usage, cause });
    })
  ).trim();
  const refuse = (why: string) =>
    new OperatorError(`cannot use the token in ${file}: ${why}`, { exitCode: EXIT.usage });
  const content = decodeToken(text);
  if (content === undefined) throw refuse('it is none, or not whole; `penguindome enrollment token --out` makes one');
  const { secret, ...trust } = content;
  // Whoever had it in hand may have put another server into it. Keys that were replaced since are told by a new one, too.
  if (!isDeepStrictEqual(trust, await readServerTrust(await context.settings())))
    throw refuse('it names another server, or keys and certificates that this one no longer has; make a new one');
  const { tokens } = await context.store();
  const token = await tokens.find(createHash('sha256').update(secret).digest('hex'));
  if (token === undefined) throw refuse('this server does not know it');
  if (token.revoked_at !== undefined) throw refuse('it was revoked');
  if (token.expires_at <= context.clock.now()) throw refuse(`it expired at ${showTime(token.expires_at)}`);
  if (token.used_by.length >= token.uses) throw refuse('it is used up');
  return { token, text, url: content.url };
}
