import type { HostFacts } from '../../core/host.ts';
import { type Fields, isFields, type Value, valueAt } from '../../core/value.ts';
import { dateAt, textAt } from '../host-document.ts';
import { readResults } from '../judgement-fields.ts';
import type { HostFilter } from '../port.ts';
import { plainDocument } from './bson.ts';
import type { Collections } from './collections.ts';
import { condition } from './hosts.ts';

/** Few enough for one round trip, many enough that the trips do not count. */
const BATCH = 250;

export async function* hostFacts(
  { clients }: Collections,
  filter: HostFilter,
  checks: readonly string[],
): AsyncGenerator<HostFacts> {
  const results = checks.length === 0 ? [] : ['checks.bare', ...checks.map((name) => `checks.results.${name}`)];
  const names = [...WANTED, ...results];
  const wanted = new Set(checks);
  const projection = { _id: 0, ...Object.fromEntries(names.map((name) => [name, 1])) };
  const cursor = clients.find(condition(filter), { projection, batchSize: BATCH }).sort({ hostname: 1 });
  for await (const document of cursor) {
    const facts = factsOf(plainDocument(document), wanted);
    if (facts !== undefined) yield facts;
  }
}

const WANTED = [
  'hostname',
  'submitted_at',
  'suspended',
  'identity.approved_at',
  'plugins.os_info.distname',
  'checks.version',
];

function factsOf(document: Fields, wanted: ReadonlySet<string>): HostFacts | undefined {
  const hostname = textAt(document, 'hostname');
  if (hostname === undefined) return undefined;
  const submitted_at = dateAt(document, 'submitted_at');
  const approved_at = dateAt(part(document, 'identity'), 'approved_at');
  const distribution = valueAt(part(document, 'plugins'), 'os_info.distname');
  const checks = part(document, 'checks');
  const version = textAt(checks, 'version');
  return {
    hostname,
    ...(submitted_at && { submitted_at }),
    ...(approved_at && { approved_at }),
    suspended: document['suspended'] === true,
    ...(typeof distribution === 'string' && { distribution }),
    ...(version !== undefined && { version }),
    results: readResults(checks, wanted),
  };
}

function part(document: Fields, name: string): Fields {
  const value: Value | undefined = document[name];
  return isFields(value) ? value : {};
}
