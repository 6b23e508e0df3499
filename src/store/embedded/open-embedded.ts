import { chown, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, StoreUnavailable } from '../../core/errors.ts';
import type { Clock, Random } from '../../core/world.ts';
import type { Store } from '../port.ts';
import { type Engine, openEngine } from './engine.ts';
import * as enrollments from './enrollments.ts';
import { groupCommits } from './group-commit.ts';
import { hostStore } from './host-store.ts';
import { issueStore } from './issue-store.ts';
import { readState } from './meta.ts';
import { acknowledgePatch, pendingPatches } from './patches.ts';
import { migrate } from './schema.ts';
import { knowsSignature, rememberSignature } from './signatures.ts';
import { findToken, insertToken, listTokens, revokeToken, useToken } from './tokens.ts';
import { trailHistory } from './trail.ts';
import { upkeepStore } from './upkeep.ts';

/** The store in one file. Several processes may have it open at once; each verb is one transaction. */
export async function openEmbedded(file: string, { clock, random }: { clock: Clock; random: Random }): Promise<Store> {
  await makeFile(file);
  const engine = connect(file);
  try {
    migrate(engine, random.uuid());
  } catch (error) {
    engine.close();
    throw error;
  }
  const group = groupCommits(engine);
  return {
    kind: 'embedded',
    hosts: hostStore(engine, group),
    issues: issueStore(engine, group),
    upkeep: upkeepStore(engine, file, () => connect(file), clock),
    enrollments: {
      insert: async (enrollment) => enrollments.insertEnrollment(engine, enrollment),
      find: async (key) => enrollments.findEnrollment(engine, key),
      list: async () => enrollments.listEnrollments(engine),
      everApproved: async (hostname) => enrollments.everApproved(engine, hostname),
      approve: async (key, at) => enrollments.approve(engine, key, at),
      revoke: async (key, at, why) => enrollments.revokeEnrollment(engine, key, at, why),
    },
    tokens: {
      insert: async (token) => insertToken(engine, token),
      list: async () => listTokens(engine),
      find: async (hash) => findToken(engine, hash),
      use: async (hash, key, at) => useToken(engine, hash, key, at),
      revoke: async (id, at) => revokeToken(engine, id, at),
    },
    trail: { history: async (hostname, options) => trailHistory(engine, hostname, options) },
    patches: {
      pendingFor: async (hostname) => pendingPatches(engine, hostname),
      acknowledge: async (id, hostname) => acknowledgePatch(engine, id, hostname),
    },
    signatures: {
      remember: (id, expires_at) => group.commit(() => rememberSignature(engine, id, expires_at, clock.now())),
      knows: async (id) => knowsSignature(engine, id, clock.now()),
    },
    state: async () => readState(engine),
    close: async () => {
      group.flush();
      engine.close();
    },
  };
}

/** WAL: readers and one writer at once. FULL: a commit is on disk before the call returns. */
function connect(file: string): Engine {
  const engine = openEngine(file);
  engine.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  return engine;
}

/** The folder 0750, the file 0640, and of the folder's owner: the operator's commands may run as root, the server does not. */
async function makeFile(file: string): Promise<void> {
  const folder = dirname(file);
  try {
    await mkdir(folder, { recursive: true, mode: 0o750 });
    const handle = await open(file, 'ax', 0o640).catch((error: unknown) => {
      if (error instanceof Error && Reflect.get(error, 'code') === 'EEXIST') return undefined;
      throw error;
    });
    if (handle === undefined) return;
    await handle.chmod(0o640);
    await handle.close();
    const [owner, made] = await Promise.all([stat(folder), stat(file)]);
    if (owner.uid !== made.uid || owner.gid !== made.gid)
      await chown(file, owner.uid, owner.gid).catch(() => undefined);
  } catch (cause) {
    throw new StoreUnavailable(`cannot make the store's file ${file}: ${messageOf(cause)}`, { cause });
  }
}
