import * as v from 'valibot';

/** ASCII armor of one detached OpenPGP signature; crypto/openpgp.ts reads no more than this. */
export const armoredSignature = v.pipe(
  v.string(),
  v.maxLength(16 * 1024),
  v.startsWith('-----BEGIN PGP SIGNATURE-----'),
);

/** A statement of a server about its keys, signed with OpenPGP over its canonical JSON (RFC 8785) in UTF-8. */
export function signedStatement<T extends v.GenericSchema>(statement: T) {
  return v.strictObject({
    statement,
    /** by the order key that is trusted before this statement */
    signature: armoredSignature,
    /** by an operator's own key; demanded where trust.d says `command_authorization: operator` */
    operator_signature: v.optional(armoredSignature),
  });
}

/** One text for one moment: as Date.toISOString writes it. */
export const exactTime = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'expected a UTC time with milliseconds'),
  v.check((text) => !Number.isNaN(Date.parse(text)), 'expected a UTC time with milliseconds'),
);

/** Upper-case hex of a version 4 or version 6 OpenPGP key. */
export const OPENPGP_FINGERPRINT = /^[0-9A-F]{40}(?:[0-9A-F]{24})?$/;
export const openPgpFingerprint = v.pipe(
  v.string(),
  v.regex(OPENPGP_FINGERPRINT, 'expected an OpenPGP fingerprint in upper-case hex'),
);

export type Read<T> = { ok: true; value: T } | { ok: false; reason: string };

/** Decodes JSON from outside that may hold `most` bytes. `reason` begins with `what` and quotes nothing of what was sent. */
export function readDocument<T>(
  schema: v.GenericSchema<unknown, T>,
  bytes: Uint8Array,
  { what, most }: { what: string; most: number },
): Read<T> {
  if (bytes.length > most) return { ok: false, reason: `${what} holds more than ${most} bytes` };
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return { ok: false, reason: `${what} is no JSON` };
  }
  const parsed = v.safeParse(schema, json, { abortEarly: true });
  if (parsed.success) return { ok: true, value: parsed.output };
  const [issue] = parsed.issues;
  return { ok: false, reason: `${what} cannot be read: ${describe(issue)}` };
}

/** Names of fields are ours to tell but for one that we do not know; valibot quotes what it received behind "but". */
function describe(issue: v.BaseIssue<unknown>): string {
  if (issue.expected === 'never') return 'it has a field that is not known';
  const path = v.getDotPath(issue);
  return `${path === null ? '' : `${path}: `}${issue.message.replace(/ but received [\s\S]*$/, '')}`;
}
