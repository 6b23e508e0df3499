import { type ServerDescription, ServerType } from 'mongodb';
import type { Milliseconds } from '../../core/duration.ts';
import { messageOf, StoreUnavailable } from '../../core/errors.ts';
import { beforeDeadline } from './deadline.ts';
import { isNotPermitted } from './errors.ts';
import { OPERATION_TIMEOUT } from './timeouts.ts';

/** Which member of a replica set is primary, and whether a majority has confirmed to it what it holds. */
export interface Primary {
  /** Nothing is to be read before that. @returns the term in which work then begins; @throws StoreUnavailable */
  confirmed(): Promise<number>;
  /** @throws StoreUnavailable where another primary has come since: the work may have read what that one had not yet confirmed */
  assertStill(term: number): void;
}

type Described = Pick<ServerDescription, 'type' | 'address' | 'electionId'>;

/** A client of the driver, which tells what it learns of each server (MongoDB specification, "SDAM monitoring"). */
interface TellsOfServers {
  on(event: 'serverDescriptionChanged', hear: (event: { newDescription: Described }) => void): unknown;
}

/** A standalone, or a database that is read once. */
export const ALWAYS: Primary = { confirmed: async () => 0, assertStill: () => undefined };

/**
 * A new primary has all that was ever acknowledged, but for a moment (until a majority has its first entry) it still answers reads of
 * concern "majority" from before its election: hosts would stand in an earlier state, and their next reports would look forked.
 * The driver says when there is another primary, before anything is sent to it; from then on nothing is read until one read that the
 * majority confirms (MongoDB manual, read concern "linearizable") has come back. What was waiting for a primary then, fails.
 *
 * @param client before it connects
 * @param confirm one such read; all that waits for it fails where it is not answered in time (deadline.ts)
 */
export function watchPrimary(
  client: TellsOfServers,
  confirm: () => Promise<unknown>,
  deadline: Milliseconds = OPERATION_TIMEOUT,
): Primary {
  let known: string | undefined;
  let term = 0;
  let confirmedTerm = -1;
  let confirming: Promise<void> | undefined;

  client.on('serverDescriptionChanged', ({ newDescription }) => {
    if (newDescription.type !== ServerType.RSPrimary) return;
    const named = nameOf(newDescription);
    if (named === known) return;
    known = named;
    term++;
  });

  function assertStill(begun: number): void {
    if (begun === term) return;
    throw new StoreUnavailable('cannot use the database now: another member of its replica set became primary');
  }

  /** Where it changes meanwhile, the next one is to be confirmed, too. */
  async function confirmTerm(): Promise<void> {
    try {
      while (confirmedTerm !== term) {
        const begun = term;
        await beforeDeadline(confirm, deadline);
        if (begun === term) confirmedTerm = begun;
      }
    } catch (error) {
      if (isNotPermitted(error)) throw error;
      throw new StoreUnavailable(`cannot use the database now: its primary is not confirmed: ${messageOf(error)}`, {
        cause: error,
      });
    } finally {
      confirming = undefined;
    }
  }

  return {
    assertStill,
    async confirmed() {
      while (confirmedTerm !== term) {
        confirming ??= confirmTerm();
        await confirming;
      }
      return term;
    },
  };
}

/** Each election has an id of its own: the same member may be elected again. */
function nameOf({ address, electionId }: Described): string {
  return `${address} ${electionId?.toHexString()}`;
}
