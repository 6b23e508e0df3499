import * as v from 'valibot';
import { ORDER_KINDS, type WipeMethod } from '../core/order.ts';
import { describeAgentIssue } from './describe-agent-issue.ts';
import { readYaml } from './read-yaml.ts';
import { SettingsError, type SettingsProblem } from './settings-error.ts';

/** valibot takes a list for an object without keys: `wipe: []` must not mean the defaults. */
const group = v.check<unknown, string>((value) => !Array.isArray(value), 'expected a group of keys');

const allowed = v.optional(v.boolean(), true);

/** trust.d/policy.yml: what the administrator of a machine lets orders do (docs/trust.md). No order can change it. */
const trustPolicy = v.strictObject({
  /** whose signature an order needs: the server's, or an operator's own */
  command_authorization: v.optional(
    v.picklist(['server', 'operator'], 'expected server (its own signature is enough) or operator'),
    'server',
  ),
  /** kinds of orders that need the signatures of two */
  second_approval: v.optional(
    v.array(v.picklist(ORDER_KINDS, `expected a kind of order (${ORDER_KINDS.join(', ')})`)),
    [],
  ),
  /** methods of `penguindome wipe` that may be used here */
  wipe: v.optional(
    v.pipe(
      v.unknown(),
      group,
      v.strictObject({ 'crypto-erase': allowed, homes: allowed, lock: allowed } satisfies Record<WipeMethod, unknown>),
    ),
    {},
  ),
});
export type TrustPolicy = v.InferOutput<typeof trustPolicy>;

export const DEFAULT_POLICY: TrustPolicy = v.parse(trustPolicy, {});

/** @throws SettingsError with every problem: file, line, key, what was expected and what was found */
export function parseTrustPolicy(text: string, file: string): TrustPolicy {
  const yaml = readYaml(text, file);
  const heading = `cannot use the rules for orders in ${file}`;
  if (Array.isArray(yaml)) throw new SettingsError(file, yaml, { heading });
  const parsed = v.safeParse(v.pipe(v.unknown(), group, trustPolicy), yaml.value ?? {});
  if (parsed.success) return parsed.output;
  const problems = parsed.issues.map((issue): SettingsProblem => {
    const { path, expected, found } = describeAgentIssue(issue, trustPolicy);
    const line = yaml.lineOf(path);
    return { file, ...(line === undefined ? {} : { line }), key: path.join('.'), expected, found };
  });
  throw new SettingsError(file, problems, { heading });
}
