import type { HostFacts } from '../../core/host.ts';
import { type Fields, isFields, type Value } from '../../core/value.ts';
import { dateAt } from '../host-document.ts';
import { readResults } from '../judgement-fields.ts';
import type { HostFilter } from '../port.ts';
import { fieldsOfText, plainValue } from '../portable.ts';
import type { Engine, Row } from './engine.ts';
import { hostCondition } from './host-filter.ts';
import { optionalDate, optionalInteger, optionalText, text } from './row.ts';

const PAGE = 200;

/** Page by page, so that no statement stays open while the caller works. */
export async function* hostFacts(
  engine: Engine,
  filter: HostFilter,
  checks: readonly string[],
): AsyncGenerator<HostFacts> {
  const { where, values } = hostCondition(filter);
  const column = checks.length === 0 ? 'NULL' : 'checks';
  const wanted = new Set(checks);
  let after = '';
  for (;;) {
    const page = engine.all(
      `SELECT hostname, submitted_at, suspended, checks_version, identity, ${column} AS checks,
         json_extract(plugins, '$.os_info.distname') AS distribution
       FROM hosts JOIN host_documents ON host_documents.host = hosts.id
       WHERE hosts.hostname > ? AND (${where}) ORDER BY hosts.hostname LIMIT ?`,
      after,
      ...values,
      PAGE,
    );
    for (const row of page) yield factsOf(row, wanted);
    const last = page.at(-1);
    if (last === undefined) return;
    after = text(last, 'hostname');
  }
}

function factsOf(row: Row, wanted: ReadonlySet<string>): HostFacts {
  const submitted_at = optionalDate(row, 'submitted_at');
  const identity = optionalText(row, 'identity');
  const approved_at = identity === undefined ? undefined : dateAt(fieldsOfText(identity) ?? {}, 'approved_at');
  const { distribution } = row;
  const version = optionalText(row, 'checks_version');
  return {
    hostname: text(row, 'hostname'),
    ...(submitted_at && { submitted_at }),
    ...(approved_at && { approved_at }),
    suspended: optionalInteger(row, 'suspended') === 1,
    ...(typeof distribution === 'string' && { distribution }),
    ...(version !== undefined && { version }),
    results: readResults(resultsIn(optionalText(row, 'checks'), wanted), wanted),
  };
}

/** Dates and tags are made only of those that are wanted. Names of checks need no escapes (audit/check-file.ts). */
function resultsIn(written: string | undefined, wanted: ReadonlySet<string>): Fields {
  if (written === undefined) return {};
  const parsed: Value = JSON.parse(written);
  if (!isFields(parsed)) return {};
  const { results, bare } = parsed;
  const asked = Object.entries(isFields(results) ? results : {}).filter(([name]) => wanted.has(name));
  return {
    results: Object.fromEntries(asked.map(([name, result]) => [name, plainValue(result)])),
    ...(bare === undefined ? {} : { bare: plainValue(bare) }),
  };
}
