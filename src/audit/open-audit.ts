import type { Audit } from '../core/audit.ts';
import { type BusinessCalendar, businessCalendar } from '../core/business-time.ts';
import { messageOf, OperatorError } from '../core/errors.ts';
import type { Clock } from '../core/world.ts';
import { certificatesOf } from '../settings/port-certificates.ts';
import { readHolidays } from '../settings/read-holidays.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import type { Store } from '../store/port.ts';
import type { AuditDeps } from './audit-deps.ts';
import { loadJudge } from './judge.ts';
import { describeOpen, readOpen } from './list-open.ts';
import { runAudit } from './run-audit.ts';

/** The audit over a store, with the checks and the calendar of the settings. Both are read once; the store is opened when it is needed. */
export async function openAudit(options: {
  settings: Pick<ServerSettings, 'advisories' | 'audit' | 'checks' | 'checks_profile' | 'ports'>;
  /** the folder of the checks that come with the product; those of the settings go before its own */
  productChecks: string;
  /** of the product */
  version?: string;
  store: () => Promise<Store>;
  clock: Clock;
  signal: AbortSignal;
}): Promise<Audit> {
  const { settings, clock, signal } = options;
  const { calendar, remarks } = await calendarOf(settings, clock);
  const loaded = await loadJudge([options.productChecks, ...settings.checks], {
    profile: settings.checks_profile,
    advisories: settings.advisories,
    version: options.version,
  });
  const certificates = settings.ports.flatMap(({ port, tls }) =>
    certificatesOf(tls).map(({ certificate }) => ({ port, file: certificate })),
  );
  const deps = async (): Promise<AuditDeps> => ({
    ...loaded,
    store: await options.store(),
    calendar,
    remarks,
    certificates,
    clock,
    signal,
  });
  return {
    run: async (asked) => runAudit(await deps(), asked),
    open: async () => {
      const ready = await deps();
      const { issues, hosts } = await readOpen(ready);
      return describeOpen(ready, issues, hosts);
    },
  };
}

/** The schema knows times and days; whether they make a calendar shows here. A file of holidays that cannot be used makes working days of some. */
async function calendarOf(
  { audit: { business } }: Pick<ServerSettings, 'audit'>,
  clock: Clock,
): Promise<{ calendar: BusinessCalendar; remarks: string[] }> {
  const { holidays, problems } = await readHolidays(business.holiday_files, clock.now());
  try {
    const calendar = businessCalendar({
      ...business,
      timeZone: business.time_zone,
      holidays: [...business.holidays, ...holidays],
    });
    return { calendar, remarks: problems };
  } catch (cause) {
    throw new OperatorError(`cannot use audit.business of the settings: ${messageOf(cause)}`, { exitCode: 3, cause });
  }
}
