import { isFields } from '../../../core/value.ts';
import { parseJson } from '../../collectors/parse-json.ts';

/** Reads from a device or file. @returns fewer bytes at its end */
export type ReadAt = (offset: number, length: number) => Buffer;

export interface LuksHeader {
  version: 1 | 2;
  uuid: string;
  /** bytes from the start that hold header and key material; undefined where the header does not tell */
  length?: number;
}

const MAGIC = Buffer.from('LUKS\xba\xbe', 'latin1');
/** of the second header of LUKS2, which counts where the first is damaged */
const SECOND_MAGIC = Buffer.from('SKUL\xba\xbe', 'latin1');
/** LUKS2 On-Disk Format Specification 1.1.3, section 2.2 */
const SECOND_PLACES = [0x4000, 0x8000, 0x10000, 0x20000, 0x40000, 0x80000, 0x100000, 0x200000, 0x400000];
const SECTOR = 512;
const BINARY_HEADER = 4096;
/** Of key material, as LUKS1 lays it out without data behind it; more than any header has. */
const LUKS1_DETACHED = 4 * 1024 * 1024;
const LARGEST_JSON = 4 * 1024 * 1024;
export const LARGEST_HEADER = 512 * 1024 * 1024;

/** @returns what header is there, the second one included; undefined where there is none */
export function readLuksHeader(read: ReadAt): LuksHeader | undefined {
  const first = read(0, BINARY_HEADER);
  if (first.subarray(0, 6).equals(MAGIC)) return first.readUInt16BE(6) === 1 ? luks1(first) : luks2(first, 0, read);
  for (const place of SECOND_PLACES) {
    const second = read(place, BINARY_HEADER);
    if (second.length === BINARY_HEADER && second.subarray(0, 6).equals(SECOND_MAGIC))
      return luks2(second, place, read);
  }
  return undefined;
}

function luks1(header: Buffer): LuksHeader {
  const payload = header.readUInt32BE(104) * SECTOR;
  return {
    version: 1,
    uuid: uuidOf(header),
    length: payload === 0 ? LUKS1_DETACHED : Math.min(payload, LARGEST_HEADER),
  };
}

function luks2(header: Buffer, at: number, read: ReadAt): LuksHeader {
  const size = Number(header.readBigUInt64BE(8));
  const base = { version: 2, uuid: uuidOf(header) } as const;
  if (size < BINARY_HEADER || size > LARGEST_JSON) return base;
  const text = read(at + BINARY_HEADER, size - BINARY_HEADER)
    .toString('utf8')
    .replace(/\0.*$/s, '');
  const json = parseJson(text);
  const config = isFields(json) ? json['config'] : undefined;
  const slots = isFields(config) ? Number(config['keyslots_size']) : Number.NaN;
  const length = 2 * size + slots;
  return Number.isSafeInteger(length) && length <= LARGEST_HEADER ? { ...base, length } : base;
}

/** At the same place in both versions. */
function uuidOf(header: Buffer): string {
  return header.subarray(168, 208).toString('latin1').replace(/\0.*$/s, '');
}

/** `CRYPT-LUKS2-2dc64…-name`, the uuid of a mapping: the volume's own, without dashes. */
export function uuidOfMapping(uuid: string): string | undefined {
  return /^CRYPT-LUKS[12]-([0-9a-f]{32})-/.exec(uuid)?.[1];
}
