/** The two fields of a signed v1 request. `data` is the text that was signed, to the byte (as UTF-8). */
export interface Form {
  data?: string;
  signature?: string;
}

/** The `=` counts into a field's name here, so that `data2=` is another field. */
const FIELDS = { 'data=': 'data', 'signature=': 'signature' } as const;

/**
 * Reads `application/x-www-form-urlencoded` (WHATWG URL section 5.1). Other fields are passed over without being kept.
 * @returns undefined for what is no such form: a broken escape, bytes that are not UTF-8, or one of our fields twice
 */
export function parseForm(body: Uint8Array): Form | undefined {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1');
  const form: Form = {};
  let start = 0;
  while (start < text.length) {
    const found = text.indexOf('&', start);
    const end = found === -1 ? text.length : found;
    const field = fieldAt(text, start);
    if (field !== undefined) {
      const value = decode(text.slice(start + field.length, end));
      const name = FIELDS[field];
      if (value === undefined || form[name] !== undefined) return undefined;
      form[name] = value;
    }
    start = end + 1;
  }
  return form;
}

function fieldAt(text: string, start: number): keyof typeof FIELDS | undefined {
  if (text.startsWith('data=', start)) return 'data=';
  return text.startsWith('signature=', start) ? 'signature=' : undefined;
}

function decode(value: string): string | undefined {
  // Only ASCII is left unescaped in a form (WHATWG URL section 5.2); anything else would be signed as other bytes than it is sent.
  if (/[^\x20-\x7e]/.test(value)) return undefined;
  try {
    return decodeURIComponent(value.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
