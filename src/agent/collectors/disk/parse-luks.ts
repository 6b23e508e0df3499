import { type Fields, isFields, type Value } from '../../../core/value.ts';
import { parseJson } from '../parse-json.ts';

/** What protects a volume: no key, salt or digest of it. */
export interface LuksHeader {
  /** `aes-xts-plain64` */
  cipher: string;
  /** none: nobody can open it any more (`cryptsetup erase`) */
  slots: Slot[];
}

interface Slot {
  slot: number;
  /** `argon2id`, `argon2i`, `pbkdf2` */
  kdf: string;
  /** `passphrase` (or key file), or what holds the key: `tpm2`, `fido2`, `pkcs11`, `recovery`, `clevis`, another's name */
  opened_by: string;
  /** tpm2 and fido2: a PIN must be given, too */
  pin?: boolean;
}

/**
 * `cryptsetup luksDump --dump-json-metadata` (LUKS2 On-Disk Format Specification 1.1.3, section 3).
 * @returns undefined where it is none
 */
export function parseLuks2(text: string): LuksHeader | undefined {
  const json = parseJson(text);
  if (!isFields(json)) return undefined;
  const segment = members(json['segments']).find(([, { type }]) => type === 'crypt')?.[1];
  const cipher = segment?.['encryption'];
  if (typeof cipher !== 'string') return undefined;
  const tokens = members(json['tokens']).map(([, token]) => token);
  const slots = members(json['keyslots']).flatMap(([key, slot]) => {
    const kdf = isFields(slot['kdf']) ? slot['kdf']['type'] : undefined;
    // A slot without one is the work space of a re-encryption, and opens nothing.
    return typeof kdf === 'string' ? [{ slot: Number(key), kdf, ...openedBy(key, tokens) }] : [];
  });
  return { cipher, slots: slots.sort((a, b) => a.slot - b.slot) };
}

/** systemd-cryptenroll(1) and clevis bind a slot to a token; without one it takes a passphrase. */
function openedBy(slot: string, tokens: readonly Fields[]): Pick<Slot, 'opened_by' | 'pin'> {
  const token = tokens.find(
    ({ keyslots, type }) => Array.isArray(keyslots) && keyslots.includes(slot) && isHolder(type),
  );
  const type = token?.['type'];
  if (token === undefined || typeof type !== 'string') return { opened_by: 'passphrase' };
  const opened_by = type.replace(/^systemd-/, '');
  if (opened_by === 'tpm2') return { opened_by, pin: token['tpm2-pin'] === true };
  if (opened_by === 'fido2') return { opened_by, pin: token['fido2-clientPin-required'] === true };
  return { opened_by };
}

/** cryptsetup's own kind only says where in a keyring the passphrase may be found. */
function isHolder(type: Value | undefined): boolean {
  return typeof type === 'string' && type !== 'luks2-keyring';
}

function members(value: Value | undefined): [string, Fields][] {
  if (!isFields(value)) return [];
  return Object.entries(value).flatMap(([key, member]) => (isFields(member) ? [[key, member]] : []));
}

/** `cryptsetup luksDump` of LUKS1, which has text only, and PBKDF2 only. @returns undefined where it is none */
export function parseLuks1(text: string): LuksHeader | undefined {
  if (!/^Version:\s+1\s*$/m.test(text)) return undefined;
  const name = /^Cipher name:\s+(\S+)\s*$/m.exec(text)?.[1];
  const mode = /^Cipher mode:\s+(\S+)\s*$/m.exec(text)?.[1];
  if (name === undefined || mode === undefined) return undefined;
  const slots = [...text.matchAll(/^Key Slot (\d): ENABLED\s*$/gm)].map(([, slot]) => ({
    slot: Number(slot),
    kdf: 'pbkdf2',
    opened_by: 'passphrase',
  }));
  return { cipher: `${name}-${mode}`, slots };
}
