import type { Audit } from '../core/audit.ts';
import { businessCalendar } from '../core/business-time.ts';
import { messageOf, OperatorError } from '../core/errors.ts';
import type { Clock } from '../core/world.ts';
import { certificatesOf } from '../settings/port-certificates.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import type { Store } from '../store/port.ts';
import type { AuditDeps } from './audit-deps.ts';
import { loadJudge } from './judge.ts';
import { describeOpen, readOpen } from './list-open.ts';
import { runAudit } from './run-audit.ts';

/** The audit over a store, with the checks and the calendar of the settings. Checks are read once; the store is opened when it is needed. */
export async function openAudit(options: {
  settings: Pick<ServerSettings, 'advisories' | 'audit' | 'checks' | 'checks_profile' | 'ports'>;
  /** the folder of the checks that come with the product; those of the settings go before its own */
  productChecks: string;
  store: () => Promise<Store>;
  clock: Clock;
  signal: AbortSignal;
}): Promise<Audit> {
  const { settings, clock, signal } = options;
  const calendar = calendarOf(settings);
  const loaded = await loadJudge([options.productChecks, ...settings.checks], {
    profile: settings.checks_profile,
    advisories: settings.advisories,
  });
  const certificates = settings.ports.flatMap(({ port, tls }) =>
    certificatesOf(tls).map(({ certificate }) => ({ port, file: certificate })),
  );
  const deps = async (): Promise<AuditDeps> => ({
    ...loaded,
    store: await options.store(),
    calendar,
    certificates,
    clock,
    signal,
  });
  return {
    run: async () => runAudit(await deps()),
    open: async () => {
      const ready = await deps();
      const { issues, hosts } = await readOpen(ready);
      return describeOpen(ready, issues, hosts);
    },
  };
}

/** The schema knows times and days; whether they make a calendar shows here. */
function calendarOf({ audit: { business } }: Pick<ServerSettings, 'audit'>) {
  try {
    return businessCalendar({ ...business, timeZone: business.time_zone });
  } catch (cause) {
    throw new OperatorError(`cannot use audit.business of the settings: ${messageOf(cause)}`, { exitCode: 3, cause });
  }
}
