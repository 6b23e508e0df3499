import type { BusinessCalendar } from '../core/business-time.ts';
import type { Judge } from '../core/check.ts';
import type { Clock } from '../core/world.ts';
import type { Store } from '../store/port.ts';
import type { Check } from './check-file.ts';
import type { CheckProblem } from './check-problem.ts';

/** A port of the server and the certificate that it shows. */
export interface PortCertificate {
  port: number;
  /** path of a PEM file */
  file: string;
}

export interface AuditDeps {
  store: Store;
  judge: Judge;
  /** switched off ones too */
  checks: readonly Check[];
  problems: readonly CheckProblem[];
  /** what else could not be read: a file of holidays */
  remarks: readonly string[];
  calendar: BusinessCalendar;
  certificates: readonly PortCertificate[];
  clock: Clock;
  signal: AbortSignal;
}
