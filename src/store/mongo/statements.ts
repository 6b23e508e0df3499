import { statementFields, statementOf } from '../order-records.ts';
import type { KeyStatement } from '../port.ts';
import { plainDocument } from './bson.ts';
import type { Collections } from './collections.ts';
import { isDuplicateKey } from './errors.ts';

/** The unique index is the guard of the number; whoever came after a higher one takes its own away again. */
export async function putStatement({ key_statements }: Collections, statement: KeyStatement): Promise<boolean> {
  const { kind, number } = statement;
  const higher = async () => (await key_statements.countDocuments({ kind, number: { $gt: number } }, { limit: 1 })) > 0;
  if (await higher()) return false;
  try {
    const { insertedId } = await key_statements.insertOne({ ...statementFields(statement) });
    if (!(await higher())) return true;
    await key_statements.deleteOne({ _id: insertedId });
    return false;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return false;
  }
}

export async function statementsAbove(
  { key_statements }: Collections,
  kind: KeyStatement['kind'],
  above: number,
): Promise<KeyStatement[]> {
  const found = await key_statements
    .find({ kind, number: { $gt: above } })
    .sort({ number: 1 })
    .toArray();
  return found.flatMap((document) => statementOf(plainDocument(document)) ?? []);
}
