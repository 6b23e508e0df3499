import { resolve } from 'node:path';
import type { AdminContext } from '../admin/context.ts';
import { makeOutput, type Streams } from '../admin/output.ts';
import type { GlobalOptions } from '../admin/run-command-line.ts';
import { loadJudge } from '../audit/judge.ts';
import { openAudit } from '../audit/open-audit.ts';
import { openCheckBook } from '../audit/open-check-book.ts';
import { journalLog } from '../delivery/journal.ts';
import { openDelivery } from '../delivery/open-delivery.ts';
import { loadServerSettings } from '../settings/load-server-settings.ts';
import { loadStorePassword } from '../settings/server-secrets.ts';
import type { StoreSettings } from '../settings/server-settings.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/port.ts';
import { journalWriter } from './journal-writer.ts';
import { PRODUCT_CHECKS } from './product-checks.ts';
import { systemClock, systemRandom, VERSION } from './world.ts';

export interface AdminWorld {
  streams: Streams;
  noColor: boolean;
  /** $CREDENTIALS_DIRECTORY */
  credentials: string | undefined;
  /** $JOURNAL_STREAM */
  journalStream: string | undefined;
  signal: AbortSignal;
}

/** All that commands work with, each opened when one first asks for it, and once. */
export function openAdminContext(
  { streams, noColor, credentials, journalStream, signal }: AdminWorld,
  options: () => GlobalOptions,
): { context: Omit<AdminContext, 'concerns' | 'operator'>; close(): Promise<void> } {
  const settingsFile = () => resolve(options().config);
  const settings = once(() => loadServerSettings(settingsFile()));
  const others: Store[] = [];
  const open = async (wanted: StoreSettings) => {
    const password = await loadStorePassword(wanted, credentials);
    const world = { clock: systemClock, random: systemRandom };
    return openStore(wanted, password === undefined ? world : { ...world, password });
  };
  const store = once(async () => open((await settings()).store));
  const judge = once(async () => {
    const { checks, checks_profile: profile, advisories } = await settings();
    return (await loadJudge([PRODUCT_CHECKS, ...checks], { profile, advisories, version: VERSION })).judge;
  });
  const audit = once(async () =>
    openAudit({
      settings: await settings(),
      productChecks: PRODUCT_CHECKS,
      version: VERSION,
      store,
      clock: systemClock,
      signal,
    }),
  );
  const checks = once(async () =>
    openCheckBook({ settings: await settings(), productChecks: PRODUCT_CHECKS, version: VERSION, clock: systemClock }),
  );
  const delivery = once(async () => {
    const journal = journalWriter(streams.stderr, journalStream);
    const world = { clock: systemClock, random: systemRandom, signal, version: VERSION };
    return openDelivery({
      ...world,
      settings: await settings(),
      store,
      credentials,
      journal,
      log: journalLog(journal),
    });
  });
  const output = makeOutput(streams, { wantsJson: () => options().json, noColor, signal });
  const context = {
    settings,
    settingsFile,
    store,
    openStore: async (wanted: StoreSettings) => {
      const opened = await open(wanted);
      others.push(opened);
      return opened;
    },
    judge,
    audit,
    checks,
    delivery,
    clock: systemClock,
    random: systemRandom,
    output,
    stdin: streams.stdin,
    stdout: streams.stdout,
    signal,
  };
  const close = async () => {
    await store.opened()?.then((opened) => opened.close());
    for (const other of others) await other.close();
  };
  return { context, close };
}

type Once<T> = (() => Promise<T>) & { opened(): Promise<T> | undefined };

/** `opened` is what was opened, where anything was, and well. */
function once<T>(open: () => Promise<T>): Once<T> {
  let opened: Promise<T> | undefined;
  let failed = false;
  const get = () => {
    opened ??= open().catch((error: unknown) => {
      failed = true;
      throw error;
    });
    return opened;
  };
  return Object.assign(get, { opened: () => (failed ? undefined : opened) });
}
