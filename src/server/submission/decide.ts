import type { Host, Identity } from '../../core/host.ts';
import type { SubmitRequest } from '../../wire/v2/messages.ts';

/** Why the chain that a submission presents is not looked at, this once. */
export type Restart = 'new-epoch' | 'no-chain';

/** What docs/protocol.md says about a submission, before its content is looked at. */
export type Decision =
  | { kind: 'repeat' }
  | { kind: 'forked' }
  | { kind: 'gone' | 'store'; restart: Restart | undefined }
  | { kind: 'confirm'; chain: string };

export function decide({ identity }: Host & { identity: Identity }, request: SubmitRequest, epoch: string): Decision {
  const { last } = identity;
  if (last !== null && last.submission === request.submission) return { kind: 'repeat' };
  const restart = restartOf(identity, request, epoch);
  if (restart === undefined && request.chain !== (last?.chain ?? null)) return { kind: 'forked' };
  if (request.gone === true) return { kind: 'gone', restart };
  if (restart === undefined && last !== null && request.digest === identity.digest) {
    return { kind: 'confirm', chain: last.chain };
  }
  return { kind: 'store', restart };
}

/** Where nothing was acknowledged yet (an operator cleared the chain, or a restored store never knew it) nothing can be forked from. */
function restartOf({ epoch: of, last }: Identity, { chain }: SubmitRequest, epoch: string): Restart | undefined {
  if (of !== null && of !== epoch) return 'new-epoch';
  return last === null && chain !== null ? 'no-chain' : undefined;
}
