import type { Clock } from '../../core/world.ts';
import type { Store, UpkeepStore } from '../port.ts';
import { selectParameters } from '../records.ts';
import type { Engine } from './engine.ts';
import * as enrollments from './enrollments.ts';
import { hostStore } from './host-store.ts';
import { issueStore } from './issue-store.ts';
import { readState } from './meta.ts';
import { orderStore } from './order-store.ts';
import { outboxStore } from './outbox-store.ts';
import { listParameters } from './parameters.ts';
import { findPatch, listPatches, pendingHosts, pendingPatches } from './patches.ts';
import { knowsSignature } from './signatures.ts';
import { findToken, listTokens } from './tokens.ts';
import { trailHistory, trailSince } from './trail.ts';
import type { Write } from './writes.ts';

/** The port, of a connection to read with and somebody who writes. */
export function storeOn({
  reader,
  write,
  clock,
  upkeep,
  state = async () => readState(reader),
  close,
}: {
  reader: Engine;
  write: Write;
  clock: Clock;
  upkeep: Pick<UpkeepStore, 'export' | 'import'>;
  state?: Store['state'];
  close: Store['close'];
}): Store {
  return {
    kind: 'embedded',
    hosts: hostStore(reader, write),
    issues: issueStore(reader, write),
    orders: orderStore(reader, write, clock),
    outbox: outboxStore(reader, write),
    upkeep: {
      consistent: true,
      ...upkeep,
      setMaintenance: (since) => write('setMaintenance', since),
      expire: (at) => write('expireSignatures', at),
    },
    enrollments: {
      insert: (enrollment) => write('insertEnrollment', enrollment),
      find: async (key) => enrollments.findEnrollment(reader, key),
      list: async () => enrollments.listEnrollments(reader),
      everApproved: async (hostname) => enrollments.everApproved(reader, hostname),
      approve: (key, at) => write('approveEnrollment', key, at),
      revoke: (key, at, why) => write('revokeEnrollment', key, at, why),
    },
    tokens: {
      insert: (token) => write('insertToken', token),
      list: async () => listTokens(reader),
      find: async (hash) => findToken(reader, hash),
      use: (hash, key, at) => write('useToken', hash, key, at),
      revoke: (id, at) => write('revokeToken', id, at),
    },
    trail: {
      history: async (hostname, options) => trailHistory(reader, hostname, options),
      since: async (hostname) => trailSince(reader, hostname),
    },
    patches: {
      pendingFor: async (hostname) => pendingPatches(reader, hostname),
      acknowledge: (id, hostname) => write('acknowledgePatch', id, hostname),
      insert: (patch) => write('insertPatch', patch),
      find: async (id) => findPatch(reader, id),
      list: async function* (filter = {}) {
        yield* listPatches(reader, filter);
      },
      cancel: (id) => write('cancelPatch', id),
      pendingHosts: async () => {
        if (pendingHosts(reader).length === 0) return [];
        await write('dropUnknownHosts');
        return pendingHosts(reader);
      },
    },
    parameters: {
      list: async (filter) => selectParameters(listParameters(reader), filter),
      set: (hostname, parameter, value, at) => write('setParameter', hostname, parameter, value, at),
    },
    signatures: {
      remember: (id, expires_at) => write('rememberSignature', id, expires_at, clock.now()),
      knows: async (id) => knowsSignature(reader, id, clock.now()),
    },
    state,
    close,
  };
}
