import type { Token } from '../../core/enrollment.ts';
import type { KeyId } from '../../core/host.ts';
import { escapeFields } from '../escape.ts';
import type { TokenUse } from '../port.ts';
import { tokenFields, tokenOf } from '../records.ts';
import { plainDocument } from './bson.ts';
import type { Collections } from './collections.ts';

export async function insertToken({ tokens }: Collections, token: Token): Promise<void> {
  await tokens.insertOne(escapeFields(tokenFields(token)));
}

export async function listTokens({ tokens }: Collections): Promise<Token[]> {
  const documents = await tokens.find().sort({ created_at: 1, id: 1 }).toArray();
  return documents.flatMap((document) => readToken(document) ?? []);
}

export async function findToken({ tokens }: Collections, hash: string): Promise<Token | undefined> {
  return readToken(await tokens.findOne({ hash }));
}

export async function useToken(collections: Collections, hash: string, key: KeyId, at: Date): Promise<TokenUse> {
  const before = readToken(
    await collections.tokens.findOneAndUpdate(
      {
        hash,
        revoked_at: null,
        $or: [{ used_by: key }, { expires_at: { $gt: at }, $expr: { $lt: [{ $size: '$used_by' }, '$uses'] } }],
      },
      { $addToSet: { used_by: key } },
      { returnDocument: 'before' },
    ),
  );
  if (before === undefined) return whyNot(await findToken(collections, hash), at);
  if (before.used_by.includes(key)) return { outcome: 'used-before', token: before };
  return { outcome: 'used', token: { ...before, used_by: [...before.used_by, key] } };
}

function whyNot(token: Token | undefined, at: Date): TokenUse {
  if (token === undefined) return { outcome: 'unknown' };
  if (token.revoked_at !== undefined) return { outcome: 'revoked' };
  return { outcome: token.expires_at <= at ? 'expired' : 'used-up' };
}

export async function revokeToken({ tokens }: Collections, id: string, at: Date): Promise<boolean> {
  return (await tokens.updateOne({ id, revoked_at: null }, { $set: { revoked_at: at } })).matchedCount > 0;
}

function readToken(document: object | null): Token | undefined {
  return document === null ? undefined : tokenOf(plainDocument(document));
}
