/**
 * HTTP Message Signatures (RFC 9421) as protocol v2 uses them: one signature, labelled `penguindome`, algorithm ed25519;
 * on answers there may be others beside it (`olderLabel`).
 * Pure: builds and reads signature bases; crypto/http-signature.ts signs and verifies.
 */
import { type InnerList, type Item, parseDictionary, serializeInnerList } from 'structured-headers';

export const LABEL = 'penguindome';
export const SEQUENCE_HEADER = 'penguindome-sequence';

/** The number of the newest answer key that the agent knows, absent below 1: it saves the signatures by other old keys. Not signed: it can do no harm. */
export const ANSWER_KEY_HEADER = 'penguindome-answer-key';

/** The label of an answer's further signature, by a key that was replaced and still counts; `LABEL` is the newest key's. */
export function olderLabel(number: number): string {
  return `${LABEL}-${number}`;
}

/** What a request's signature covers (RFC 9421 sections 2.1 and 2.2), in the order in which we write it. */
export const REQUEST_COMPONENTS = [
  '"@method"',
  '"@path"',
  '"@authority"',
  '"content-digest"',
  '"penguindome-sequence"',
] as const;

/** What an answer's signature covers: `;req` binds it to the one request that it answers (RFC 9421 section 2.4). */
export const ANSWER_COMPONENTS = [
  '"@status"',
  '"content-digest"',
  '"@path";req',
  '"content-digest";req',
  '"penguindome-sequence";req',
  `"signature";req;key="${LABEL}"`,
] as const;

export interface SignatureParameters {
  /** seconds since 1970 */
  created: number;
  keyid: string;
  nonce?: string;
}

export interface RequestParts {
  /** upper case */
  method: string;
  /** absolute path, as on the request line, without query */
  path: string;
  /** normalized: see `authorityOf` */
  authority: string;
  /** value of the header */
  contentDigest: string;
  /** value of the header: decimal */
  sequence: string;
}

export interface AnswerParts {
  status: number;
  contentDigest: string;
  request: { path: string; contentDigest: string; sequence: string; signature: Uint8Array };
}

/** `@authority` (RFC 9421 section 2.2.3): lower case, without the scheme's default port. @throws TypeError for what is no host */
export function authorityOf(scheme: 'http' | 'https', host: string): string {
  return new URL(`${scheme}://${host}/`).host;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

export function requestValues(parts: RequestParts): Map<string, string> {
  return new Map<string, string>([
    ['"@method"', parts.method],
    ['"@path"', parts.path],
    ['"@authority"', parts.authority],
    ['"content-digest"', parts.contentDigest],
    ['"penguindome-sequence"', parts.sequence],
  ]);
}

export function answerValues(parts: AnswerParts): Map<string, string> {
  return new Map<string, string>([
    ['"@status"', String(parts.status)],
    ['"content-digest"', parts.contentDigest],
    ['"@path";req', parts.request.path],
    ['"content-digest";req', parts.request.contentDigest],
    ['"penguindome-sequence";req', parts.request.sequence],
    [`"signature";req;key="${LABEL}"`, `:${base64(parts.request.signature)}:`],
  ]);
}

/** The value of `@signature-params` that we write (RFC 9421 section 2.3). */
export function signatureParams(components: readonly string[], parameters: SignatureParameters): string {
  const nonce = parameters.nonce === undefined ? '' : `;nonce="${parameters.nonce}"`;
  return `(${components.join(' ')});created=${parameters.created};keyid="${parameters.keyid}"${nonce}`;
}

/** The signature base (RFC 9421 section 2.5). @throws TypeError where a component has no value here */
export function signatureBase(components: readonly string[], values: Map<string, string>, params: string): string {
  const lines = components.map((component) => {
    const value = values.get(component);
    if (value === undefined) throw new TypeError(`cannot cover ${component}`);
    return `${component}: ${value}`;
  });
  return `${lines.join('\n')}\n"@signature-params": ${params}`;
}

/** A signature as it was found in a message, not yet verified. */
export interface PresentedSignature {
  components: string[];
  /** `@signature-params`, serialized strictly (RFC 8941 section 4.1.1.1) */
  params: string;
  parameters: SignatureParameters;
  signature: Uint8Array;
}

/**
 * Reads our signature out of `Signature-Input` and `Signature`.
 * @returns undefined where either header is missing, malformed, lacks our label, misses one of `required`, or covers anything twice
 */
export function readSignature(
  signatureInput: string | undefined,
  signature: string | undefined,
  required: readonly string[],
): PresentedSignature | undefined {
  if (signatureInput === undefined || signature === undefined) return undefined;
  return readExact(signatureInput, signature, required) ?? parseSignature(signatureInput, signature, required);
}

/** Parameters as `signatureParams` writes them; whatever else RFC 8941 allows is for the parser. */
const EXACT_PARAMETERS =
  /^\);created=(0|[1-9]\d{0,14});keyid="([\x20!\x23-\x5b\x5d-\x7e]*)"(?:;nonce="([\x20!\x23-\x5b\x5d-\x7e]*)")?$/;
const EXACT_SIGNATURE = /^=:([A-Za-z0-9+/]{86}==):$/;

/**
 * The headers to the byte as we write them, which needs no parser: reading them is a large part of what a request costs.
 * @returns undefined for any others, good or bad
 */
export function readExact(
  signatureInput: string,
  signature: string,
  required: readonly string[],
): PresentedSignature | undefined {
  const covered = `${LABEL}=(${required.join(' ')}`;
  if (!signatureInput.startsWith(covered) || !signature.startsWith(LABEL)) return undefined;
  const [, created, keyid, nonce] = EXACT_PARAMETERS.exec(signatureInput.slice(covered.length)) ?? [];
  const [, bytes] = EXACT_SIGNATURE.exec(signature.slice(LABEL.length)) ?? [];
  if (created === undefined || keyid === undefined || bytes === undefined) return undefined;
  return {
    components: [...required],
    params: signatureInput.slice(LABEL.length + 1),
    parameters: { created: Number(created), keyid, ...(nonce === undefined ? {} : { nonce }) },
    signature: new Uint8Array(Buffer.from(bytes, 'base64')),
  };
}

/** Any form that RFC 8941 allows. @returns as `readSignature` */
export function parseSignature(
  signatureInput: string,
  signature: string,
  required: readonly string[],
): PresentedSignature | undefined {
  try {
    return readMember(parseDictionary(signatureInput).get(LABEL), parseDictionary(signature).get(LABEL), required);
  } catch {
    return undefined;
  }
}

/** More signatures than these on one answer are not looked at. */
const MOST_SIGNATURES = 4;

/** All signatures of ours on an answer: the newest key's first, then those of older keys. */
export function readAnswerSignatures(
  signatureInput: string | undefined,
  signature: string | undefined,
): PresentedSignature[] {
  if (signatureInput === undefined || signature === undefined) return [];
  const only = readExact(signatureInput, signature, ANSWER_COMPONENTS);
  if (only !== undefined) return [only];
  try {
    const [inputs, signatures] = [parseDictionary(signatureInput), parseDictionary(signature)];
    const older = [...inputs.keys()].filter((label) => /^penguindome-\d{1,9}$/.test(label));
    return [LABEL, ...older].slice(0, MOST_SIGNATURES).flatMap((label) => {
      const read = readMember(inputs.get(label), signatures.get(label), ANSWER_COMPONENTS);
      return read === undefined ? [] : [read];
    });
  } catch {
    return [];
  }
}

function readMember(
  input: InnerList | Item | undefined,
  signature: InnerList | Item | undefined,
  required: readonly string[],
): PresentedSignature | undefined {
  const bytes = signature?.[0];
  if (input === undefined || !isInnerList(input) || !(bytes instanceof ArrayBuffer)) return undefined;
  const components = input[0].map((item) => serializeInnerList([[item], new Map()]).slice(1, -1));
  if (new Set(components).size !== components.length) return undefined;
  if (required.some((component) => !components.includes(component))) return undefined;
  const created = input[1].get('created');
  const keyid = input[1].get('keyid');
  const nonce = input[1].get('nonce');
  const algorithm = input[1].get('alg');
  if (typeof created !== 'number' || !Number.isInteger(created) || typeof keyid !== 'string') return undefined;
  if (algorithm !== undefined && algorithm !== 'ed25519') return undefined;
  return {
    components,
    params: serializeInnerList(input),
    parameters: { created, keyid, ...(typeof nonce === 'string' ? { nonce } : {}) },
    signature: new Uint8Array(bytes),
  };
}

function isInnerList(member: InnerList | Item): member is InnerList {
  return Array.isArray(member[0]);
}
