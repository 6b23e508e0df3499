export interface Credentials {
  user: string;
  password: string;
}

/** Of the header, as sent. Base64 makes four characters of three bytes: enough for 64 letters and a password of a thousand bytes. */
export const LONGEST_HEADER = 2048;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads HTTP Basic (RFC 7617): the scheme in any case, then base64 of `user:password` in UTF-8. A password may hold colons.
 * @returns undefined for what is no such header
 */
export function readCredentials(header: string | undefined): Credentials | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const pair = decode(encoded);
  const colon = pair?.indexOf(':') ?? -1;
  if (pair === undefined || colon < 0) return undefined;
  return { user: pair.slice(0, colon).normalize('NFC'), password: pair.slice(colon + 1) };
}

function decode(encoded: string): string | undefined {
  try {
    return utf8.decode(Buffer.from(encoded, 'base64'));
  } catch {
    return undefined;
  }
}
