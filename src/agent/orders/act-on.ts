import { join } from 'node:path';
import { messageOf, OperatorError } from '../../core/errors.ts';
import type { Clock } from '../../core/world.ts';
import type { Manifest } from '../../wire/v2/order.ts';
import { EXIT } from '../exit-codes.ts';
import { withLock } from '../lock.ts';
import type { Places } from '../places.ts';
import type { Accepted, Results } from './accepted.ts';
import { changeSite, finishChange, makeSite, mendSite, type SiteKit } from './change-site.ts';
import { OrderRefused } from './check-target.ts';
import { commandsOf, limitOf } from './commands-of.ts';
import { type OrderState, type Outcome, readOrderState, writeOrderState } from './order-state.ts';
import { planChange, type SiteOrder } from './plan-change.ts';
import { NO_MANIFEST, readSiteManifest, type SiteManifest } from './site-manifest.ts';
import { tellOutcome } from './tell-outcome.ts';

/** What acting on orders takes. */
export interface ActKit extends SiteKit {
  places: Pick<Places, 'state' | 'site' | 'orders'>;
  clock: Clock;
  /** of this start of the machine; '' where nobody knows */
  boot: string;
  results: Results;
  /** starts `order-run ID` apart from us, which may take that many seconds */
  start(order: string, seconds: number): Promise<void>;
  /** plugins, settings or the release are others now */
  collectSoon(): Promise<void>;
}

/** Acts on an order that was accepted, or goes on with one that was begun, in whatever state it was left. */
export async function actOn(accepted: Accepted, acting: ActKit): Promise<void> {
  const { folder } = accepted;
  const state = (await readOrderState(folder)) ?? (await begin(accepted, acting));
  await goOn(accepted, acting, state);
}

async function begin({ manifest, folder }: Accepted, acting: ActKit): Promise<OrderState> {
  if (manifest.kind !== 'patch' && manifest.kind !== 'release' && manifest.kind !== 'settings') {
    return keep(folder, { phase: 'starting', steps: [] });
  }
  const order = manifest;
  try {
    await lockSite(acting, async () => {
      const was = await manifestBefore(order, acting);
      await changeSite(acting, folder, was, await planChange(order, folder, was, acting.clock.now()));
    });
  } catch (error) {
    const state = await readOrderState(folder);
    // Somebody else is at it, or what was begun cannot be finished now: the next run goes on.
    if (state !== undefined || isBusy(error)) throw error;
    return keep(folder, ended(error instanceof OrderRefused ? 'refused' : 'failed', messageOf(error)));
  }
  return known(folder);
}

/** A release says all that there is to be: so it mends a manifest that is damaged. What that told of is nobody's then, and is not used. */
async function manifestBefore({ kind }: SiteOrder, { places }: ActKit): Promise<SiteManifest> {
  return readSiteManifest(places).catch((error: unknown) => {
    if (kind !== 'release') throw error;
    return NO_MANIFEST;
  });
}

async function goOn(accepted: Accepted, acting: ActKit, state: OrderState): Promise<void> {
  const { manifest, folder } = accepted;
  switch (state.phase) {
    case 'changing':
    case 'undoing':
      await lockSite(acting, async () => {
        const now = await known(folder);
        if (now.phase === 'changing' || now.phase === 'undoing') await finishChange(acting, folder, now);
      });
      return goOn(accepted, acting, await known(folder));
    case 'changed': {
      if (manifest.kind === 'release') await acting.results.release(manifest.number);
      await acting.collectSoon();
      const { steps } = state;
      const next: OrderState = { phase: 'starting', steps };
      return goOn(accepted, acting, await keep(folder, hasCommands(manifest) ? next : ended('done', undefined, steps)));
    }
    case 'starting':
      return startOnce(accepted, acting, state);
    case 'running': {
      const broken = await unlessAlive(folder, () => interrupted(accepted, acting));
      return broken === undefined ? undefined : goOn(accepted, acting, broken);
    }
    case 'ended':
      await unlessAlive(folder, () => tellOutcome(accepted, state, acting.results));
      return;
    case 'settled':
      return;
    default:
      state satisfies never;
  }
}

/** Nothing of it has begun: so it may be started again as often as it takes, until its time is over. */
async function startOnce(
  accepted: Accepted,
  acting: ActKit,
  state: Extract<OrderState, { phase: 'starting' }>,
): Promise<void> {
  const { manifest, folder } = accepted;
  if ((await unlessAlive(folder, async () => true)) === undefined) return;
  const expire = async (why: string) => {
    const reason = `it expired before it could be started${why}`;
    return goOn(accepted, acting, await keep(folder, ended('failed', reason, state.steps)));
  };
  const isExpired = acting.clock.now() > new Date(manifest.expires_at) && state.begun !== true;
  if (isExpired) return expire(state.waits_for === undefined ? '' : `: ${state.waits_for}`);
  try {
    await acting.start(manifest.id, limitOf(manifest));
  } catch (error) {
    const reason = messageOf(error);
    if (state.waits_for === reason) return;
    await acting.results.report(manifest.id, { state: 'waiting', reason });
    await keep(folder, { ...state, waits_for: reason });
  }
}

/** A command is never run again: it may have done its work, all of it or a part. A wipe goes on from where it was. */
async function interrupted({ manifest, folder }: Accepted, { boot }: ActKit): Promise<OrderState> {
  const state = await known(folder);
  if (state.phase !== 'running') return state;
  if (manifest.kind === 'wipe' || manifest.kind === 'unlock') {
    return keep(folder, { phase: 'starting', steps: [], begun: true });
  }
  const how = state.boot === boot ? 'its process was ended' : 'the machine went down meanwhile';
  const reason = `interrupted: ${how}; ${state.path} may have done a part of its work, and is not run again`;
  return keep(folder, { phase: 'ended', steps: state.steps, ran: state.ran, outcome: { state: 'failed', reason } });
}

/** Whoever runs an order holds its lock as long as it lives. */
async function unlessAlive<T>(folder: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await withLock(join(folder, '.lock'), 'look after an order', work, 0);
  } catch (error) {
    if (isBusy(error)) return undefined;
    throw error;
  }
}

/** What another order left half done comes first. */
async function lockSite<T>(acting: ActKit, work: () => Promise<T>): Promise<T> {
  await makeSite(acting.places);
  return withLock(acting.places.site.lock, 'change the site folder', async () => {
    await mendSite(acting).catch((cause: unknown) => {
      const reason = `cannot finish what another order began in the site folder: ${messageOf(cause)}`;
      throw new OperatorError(reason, { cause, exitCode: EXIT.tryAgain });
    });
    return work();
  });
}

function ended(state: Outcome['state'], reason?: string, steps: string[] = []): OrderState {
  return { phase: 'ended', steps, ran: [], outcome: { state, ...(reason === undefined ? {} : { reason }) } };
}

async function keep(folder: string, state: OrderState): Promise<OrderState> {
  await writeOrderState(folder, state);
  return state;
}

async function known(folder: string): Promise<OrderState> {
  const state = await readOrderState(folder);
  if (state === undefined) throw new Error(`cannot use ${folder}: state.json is gone`);
  return state;
}

function hasCommands(manifest: Manifest): boolean {
  return commandsOf(manifest).length > 0;
}

function isBusy(error: unknown): boolean {
  return error instanceof OperatorError && error.exitCode === EXIT.tryAgain;
}
