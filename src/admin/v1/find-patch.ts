import { OperatorError } from '../../core/errors.ts';
import type { PatchRecord } from '../../core/patch.ts';
import type { Store } from '../../store/port.ts';

/** ObjectIds begin with their second, from 2012 to 2063; UUIDs of orders do not begin so. */
const LIKE_A_PATCH = /^[5-9a][0-9a-f]{3,23}$/i;

/** By its id, or the beginning of one. @returns undefined where it can be none. @throws OperatorError where several are meant */
export async function findPatch({ patches }: Pick<Store, 'patches'>, wanted: string): Promise<PatchRecord | undefined> {
  if (!LIKE_A_PATCH.test(wanted)) return undefined;
  const fitting: string[] = [];
  for await (const { id } of patches.list()) if (id.startsWith(wanted.toLowerCase())) fitting.push(id);
  const [id, ...others] = fitting;
  if (id === undefined) return undefined;
  if (others.length === 0) return patches.find(id);
  const list = fitting.slice(0, 10).map((each) => `  ${each}`);
  throw new OperatorError(`cannot tell which patch is meant; give more of its id:\n${list.join('\n')}`);
}
