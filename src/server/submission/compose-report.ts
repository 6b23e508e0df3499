import { Refusal } from '../../core/errors.ts';
import type { Digest, Host, Identity } from '../../core/host.ts';
import { type Fields, getField, isFields, setField, type Value } from '../../core/value.ts';
import { decodeDates } from '../../wire/dates.ts';
import { bodyDigest, listDigest } from '../../wire/v2/digest.ts';
import type { SubmitRequest } from '../../wire/v2/messages.ts';

/** A report made whole again from what the request carries and what is stored. */
export interface ComposedReport {
  plugins: Fields;
  /** undefined: there are none, and there were none */
  commands?: Fields;
  list: Record<string, Digest>;
}

type Part = 'plugins' | 'commands';
type Stored = Host & { identity: Identity };

/** @throws Refusal for digests that do not fit, names that are the server's own, and `resend` where something is lacking */
export function composeReport(
  host: Stored,
  { digest, list, bodies = {} }: Pick<SubmitRequest, 'digest' | 'list' | 'bodies'>,
  at: Date,
): ComposedReport {
  const names = list ?? (digest === host.identity.digest ? host.identity.list : undefined);
  if (names === undefined) throw resend([]);
  if (listDigest(names) !== digest)
    throw new Refusal('bad-request', 'cannot take a list that is not the one of its digest');
  if (Object.hasOwn(names, 'plugins.submitted_at')) {
    throw new Refusal('bad-request', "cannot take a plugin named submitted_at: that is the server's own field");
  }
  const held = heldBodies(host, bodies);
  const lacking = Object.entries(names)
    .filter(([name, digest]) => unchangedBody(host, name, digest) === undefined && !held.has(digest))
    .map(([name]) => name);
  if (lacking.length > 0) throw resend(lacking);
  return build(host, names, held, at);
}

/** @param names of the bodies that neither the request nor the stored report holds; none: the list itself is lacking */
function resend(names: string[]): Refusal {
  return new Refusal('resend', 'cannot store the report without what is named', {
    detail: names.length === 0 ? 'the list' : `${names.length} bodies`,
    extra: { names },
  });
}

/** Bodies by digest: those of the request (whose digests are checked here), and those stored under whatever name. */
function heldBodies(host: Stored, bodies: Record<string, unknown>): Map<string, Value> {
  const held = new Map<string, Value>();
  for (const [name, digest] of Object.entries(host.identity.list)) {
    const stored = storedBody(host, name);
    if (stored !== undefined && !name.startsWith('commands.')) held.set(digest, stored);
  }
  for (const [digest, body] of Object.entries(bodies)) held.set(digest, verifiedBody(digest, body));
  return held;
}

/** Digests are over the JSON as sent; dates are decoded after that. */
function verifiedBody(digest: string, body: unknown): Value {
  try {
    if (bodyDigest(body) === digest) return decodeDates(body);
  } catch (cause) {
    throw new Refusal('bad-request', 'cannot take a number that large', { cause });
  }
  throw new Refusal('bad-request', 'cannot take a body that is not the one of its digest');
}

function build(host: Stored, names: Record<string, Digest>, held: Map<string, Value>, at: Date): ComposedReport {
  const plugins: Fields = {};
  const commands = otherCommands(host);
  for (const [name, digest] of Object.entries(names)) {
    const [part, key] = splitName(name);
    const unchanged = unchangedBody(host, name, digest);
    const body = unchanged ?? held.get(digest) ?? null;
    if (part === 'plugins') setField(plugins, key, body);
    else setField(commands, key, unchanged === undefined && isFields(body) ? { ...body, submitted_at: at } : body);
  }
  const any = host.commands !== undefined || Object.keys(commands).length > 0;
  return { plugins, ...(any ? { commands } : {}), list: names };
}

/** Commands that no v2 report has named: what the host's v1 client left there stays. */
function otherCommands(host: Stored): Fields {
  const commands: Fields = {};
  for (const [name, result] of Object.entries(host.commands ?? {})) {
    if (!Object.hasOwn(host.identity.list, `commands.${name}`)) setField(commands, name, result);
  }
  return commands;
}

function unchangedBody(host: Stored, name: string, digest: Digest): Value | undefined {
  if (!Object.hasOwn(host.identity.list, name) || host.identity.list[name] !== digest) return undefined;
  return storedBody(host, name);
}

function storedBody(host: Stored, name: string): Value | undefined {
  const [part, key] = splitName(name);
  const fields = host[part];
  return fields === undefined ? undefined : getField(fields, key);
}

function splitName(name: string): [Part, string] {
  const part = name.startsWith('plugins.') ? 'plugins' : 'commands';
  return [part, name.slice(part.length + 1)];
}
