import type { Host, Identity } from '../../core/host.ts';
import type { SubmitRequest } from '../../wire/v2/messages.ts';

/** What docs/protocol.md says about a submission, before its content is looked at. */
export type Decision =
  | { kind: 'repeat' }
  | { kind: 'forked' }
  | { kind: 'gone'; newEpoch: boolean }
  | { kind: 'confirm'; chain: string }
  | { kind: 'store'; newEpoch: boolean };

export function decide({ identity }: Host & { identity: Identity }, request: SubmitRequest, epoch: string): Decision {
  const { last } = identity;
  if (last !== null && last.submission === request.submission) return { kind: 'repeat' };
  const newEpoch = identity.epoch !== null && identity.epoch !== epoch;
  if (!newEpoch && request.chain !== (last?.chain ?? null)) return { kind: 'forked' };
  if (request.gone === true) return { kind: 'gone', newEpoch };
  if (!newEpoch && last !== null && request.digest === identity.digest) return { kind: 'confirm', chain: last.chain };
  return { kind: 'store', newEpoch };
}
