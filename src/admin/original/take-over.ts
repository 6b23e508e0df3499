import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FileOwner } from '../../settings/atomic-write.ts';
import { clientSettingsFile, editClientSettings, loadClientSettings } from '../../settings/client-settings-file.ts';
import { editSettings } from '../../settings/edit-settings.ts';
import { withLock } from '../../settings/lock-file.ts';
import type { ServerSettings } from '../../settings/server-settings.ts';
import { tlsFolder } from '../../settings/tls-folder.ts';
import type { AdminContext } from '../context.ts';
import { ensureFolder, ensureTlsFolder, exists, removeUnfinished } from '../ensure-files.ts';
import { placeOf } from './look-at.ts';
import type { Wanted } from './map-rest.ts';
import { planAccounts } from './plan-accounts.ts';
import { planCertificates } from './plan-certificates.ts';
import { planKeys } from './plan-keys.ts';
import { type NewSettings, planSettings } from './plan-settings.ts';
import { type PlannedStore, planStore, type StoreWish } from './plan-store.ts';
import type { Original } from './read-original.ts';
import type { Leftover } from './section.ts';
import type { Planned, PlannedStep, Remark } from './steps.ts';

export interface Given {
  /** armored */
  keys: { server: string; client: string };
  /** undefined: only the keys are taken over */
  original: Original | undefined;
  leftovers: Leftover[];
  remarks: Remark[];
  /** undefined: the original's database is left alone */
  store: StoreWish | undefined;
}

export interface TakeOver {
  steps: PlannedStep[];
  leftovers: Leftover[];
  /** settings of agents */
  client: Wanted[];
  remarks: Remark[];
  /** a running server cannot change its store */
  restart: boolean;
}

const KEYS_ONLY: NewSettings = { ports: [], wanted: [], serverAuth: {} };

/**
 * All that is to be done, in the order in which it is: what the settings name is there before they name it, and they change last, in
 * one write. Whatever cannot be done is found here, before anything is written.
 */
export async function planTakeOver(context: AdminContext, given: Given): Promise<TakeOver> {
  const settings = await context.settings();
  const deps = { context, settings, owner: await ownerOf(settings, context.settingsFile()) };
  const keys = await planKeys(given.keys, { keys: settings.keys, owner: deps.owner });
  const { original, leftovers } = given;
  const rest = original === undefined ? { parts: [], wish: KEYS_ONLY } : await planRest(deps, original, given.store);
  const last = await planLast(deps, rest.wish);
  const client = original?.client ?? [];
  const parts = [...rest.parts, await planClient(context, client), last];
  return {
    steps: [...keys, ...parts.flatMap(({ steps }) => steps)],
    leftovers: [...leftovers],
    client,
    remarks: [...given.remarks, ...parts.flatMap(({ remarks }) => remarks)],
    restart: rest.wish.store !== undefined && last.steps.some(({ needed }) => needed),
  };
}

/** Under a lock: two of these at once would each clear away what the other one has begun. */
export async function carryOut(context: AdminContext, { steps }: Pick<TakeOver, 'steps'>): Promise<void> {
  const file = context.settingsFile();
  const settings = await context.settings();
  const { pki, keys, state } = settings;
  const owner = await ownerOf({ keys }, file);
  await withLock(context, `${file}.migrate.lock`, async () => {
    await ensureFolder(pki, 0o750);
    await ensureFolder(keys, 0o700, owner);
    await ensureFolder(state, 0o750, owner);
    const tls = await ensureTlsFolder(settings, owner);
    for (const folder of [dirname(file), pki, keys, state, tls]) await removeUnfinished(folder);
    for (const { needed, run } of steps) {
      context.signal.throwIfAborted();
      if (needed) await run();
    }
  });
}

interface Deps {
  context: AdminContext;
  settings: ServerSettings;
  owner: FileOwner;
}

async function planRest(
  deps: Deps,
  original: Original,
  wish: StoreWish | undefined,
): Promise<{ parts: Planned[]; wish: NewSettings }> {
  const { context, settings, owner } = deps;
  const certificates = await planCertificates(original.ports, { folder: tlsFolder(settings), owner });
  const accounts = await planAccounts(context, settings.accounts, original.accounts);
  const store: PlannedStore = wish === undefined ? leftAlone(original) : await planStore(deps, original.store, wish);
  return {
    parts: [certificates, accounts, store],
    wish: {
      ports: certificates.ports,
      wanted: original.settings,
      serverAuth: original.serverAuth,
      ...(store.settings === undefined ? {} : { store: store.settings }),
    },
  };
}

/** What is wanted here already stays. */
async function planClient(context: AdminContext, client: readonly Wanted[]): Promise<Planned> {
  const file = clientSettingsFile(context.settingsFile());
  const { all } = await loadClientSettings(file);
  const steps = client.map(({ path, value }) => ({
    what: `${path} (agents)`,
    path: file,
    needed: !Object.hasOwn(all, path),
    run: async () => void (await editClientSettings(context, file, [{ path: `all.${path}`, value: String(value) }])),
  }));
  return { steps, remarks: [] };
}

function leftAlone({ store }: Original): PlannedStore {
  return { steps: [], remarks: [`the original's database, ${placeOf(store.settings)}, is left alone`] };
}

/** A step for each key that is to change; they are all made in one. */
async function planLast({ context, settings }: Deps, wish: NewSettings): Promise<Planned> {
  const file = context.settingsFile();
  const { edits, changing, remarks } = await planSettings(file, settings, wish);
  let made: Promise<boolean> | undefined;
  const run = async () => {
    made ??= editSettings(context, file, edits);
    await made;
  };
  const steps = edits.map(({ path }) => ({ what: path, path: file, needed: changing.includes(path), run }));
  return { steps, remarks };
}

async function ownerOf({ keys }: Pick<ServerSettings, 'keys'>, file: string): Promise<FileOwner> {
  const { uid, gid } = await stat((await exists(keys)) ? keys : file);
  return { uid, gid };
}
