import {
  ANSWER_COMPONENTS,
  type AnswerParts,
  answerValues,
  LABEL,
  type PresentedSignature,
  REQUEST_COMPONENTS,
  type RequestParts,
  requestValues,
  type SignatureParameters,
  signatureBase,
  signatureParams,
} from '../wire/v2/http-signature.ts';
import type { SigningKey, VerificationKey } from './ed25519.ts';

export interface SignatureHeaders {
  'signature-input': string;
  signature: string;
  /** the raw signature, to match the answer against */
  bytes: Uint8Array;
}

export function signRequest(
  key: SigningKey,
  parts: RequestParts,
  parameters: Omit<SignatureParameters, 'keyid'>,
): SignatureHeaders {
  return signMessage(key, REQUEST_COMPONENTS, requestValues(parts), parameters);
}

/** @param label another than the newest answer key's, for one that was replaced and still counts */
export function signAnswer(
  key: SigningKey,
  parts: AnswerParts,
  parameters: Omit<SignatureParameters, 'keyid'>,
  label: string = LABEL,
): SignatureHeaders {
  return signMessage(key, ANSWER_COMPONENTS, answerValues(parts), parameters, label);
}

export function verifyRequest(key: VerificationKey, parts: RequestParts, presented: PresentedSignature): boolean {
  return verifyMessage(key, requestValues(parts), presented);
}

export function verifyAnswer(key: VerificationKey, parts: AnswerParts, presented: PresentedSignature): boolean {
  return verifyMessage(key, answerValues(parts), presented);
}

function signMessage(
  key: SigningKey,
  components: readonly string[],
  values: Map<string, string>,
  parameters: Omit<SignatureParameters, 'keyid'>,
  label: string = LABEL,
): SignatureHeaders {
  const params = signatureParams(components, { ...parameters, keyid: key.id });
  const bytes = key.sign(signatureBase(components, values, params));
  return {
    'signature-input': `${label}=${params}`,
    signature: `${label}=:${Buffer.from(bytes).toString('base64')}:`,
    bytes,
  };
}

function verifyMessage(key: VerificationKey, values: Map<string, string>, presented: PresentedSignature): boolean {
  if (presented.components.some((component) => !values.has(component))) return false;
  return key.verify(signatureBase(presented.components, values, presented.params), presented.signature);
}
