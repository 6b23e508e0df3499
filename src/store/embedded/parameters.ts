import { createHash } from 'node:crypto';
import { type ClientParameter, linkChanges, type ParameterName, renamedLink } from '../../core/parameters.ts';
import { fieldsOfText, toText } from '../portable.ts';
import { parameterOf } from '../records.ts';
import type { Engine } from './engine.ts';
import { text } from './row.ts';

const OURS = "collection = 'client_parameters'";
const IS = `${OURS} AND json_extract(document, '$.hostname') = ? AND json_extract(document, '$.parameter') = ?`;

/** Those that are set. Of several documents for one, which an original database may hold, the first counts. */
export function listParameters(engine: Engine): ClientParameter[] {
  const found = new Map<string, ClientParameter>();
  for (const row of engine.all(`SELECT document FROM documents WHERE ${OURS} ORDER BY id`)) {
    const parameter = parameterOf(fieldsOfText(text(row, 'document')) ?? {});
    if (parameter === undefined) continue;
    const key = `${parameter.parameter} ${parameter.hostname}`;
    if (!found.has(key)) found.set(key, parameter);
  }
  return [...found.values()];
}

/** All that it changes in one transaction. */
export function setParameter(
  engine: Engine,
  hostname: string,
  parameter: ParameterName,
  value: string[] | null,
  at: Date,
): string[] | null {
  return engine.transaction(() => {
    const known = listParameters(engine).filter((each) => each.parameter === parameter);
    const former = known.find((each) => each.hostname === hostname)?.value ?? null;
    const links = new Map(known.map((each) => [each.hostname, each.value]));
    const changes =
      parameter === 'user_clients' ? linkChanges(links, hostname, value ?? []) : [[hostname, value] as const];
    for (const [host, list] of changes) write(engine, host, parameter, list, at);
    return former;
  });
}

/** What is unset stays with null, as the original leaves it. */
function write(engine: Engine, hostname: string, parameter: ParameterName, value: string[] | null, at: Date): void {
  const update = `UPDATE documents SET document = json_set(document, '$.value', json(?), '$.updated_at', json(?)) WHERE ${IS}`;
  if (engine.run(update, JSON.stringify(value), toText(at), hostname, parameter) > 0) return;
  // Such documents keep their ids (portable.ts), and MongoDB would give this one its own.
  const id = createHash('sha256').update(`${hostname} ${parameter} ${at.getTime()}`).digest('hex').slice(0, 24);
  const document = toText({ _id: { $oid: id }, hostname, parameter, value, updated_at: at });
  engine.run("INSERT INTO documents (collection, document) VALUES ('client_parameters', ?)", document);
}

/** The links of others to it, too. What the new name had is of a host that is gone. */
export function renameParameters(engine: Engine, from: string, to: string, at: Date): void {
  engine.run(`DELETE FROM documents WHERE ${OURS} AND json_extract(document, '$.hostname') = ?`, to);
  engine.run(
    `UPDATE documents SET document = json_set(document, '$.hostname', ?) WHERE ${OURS} AND json_extract(document, '$.hostname') = ?`,
    to,
    from,
  );
  for (const { hostname, parameter, value } of listParameters(engine)) {
    if (parameter === 'user_clients' && value.includes(from))
      write(engine, hostname, parameter, renamedLink(value, from, to), at);
  }
}

export function forgetParameters(engine: Engine, hostname: string, at: Date): void {
  setParameter(engine, hostname, 'user_clients', null, at);
  engine.run(`DELETE FROM documents WHERE ${OURS} AND json_extract(document, '$.hostname') = ?`, hostname);
}
