/**
 * A backup: gzip of lines of JSON. First a header; then a line for each document (store/portable.ts) and, where keys are in it,
 * each key file; last a trailer with how many lines came before it and the SHA-256 of all their bytes.
 * What was cut off has no trailer, what was altered another digest: both are refused before anything is touched.
 */
import * as z from 'zod';
import { OperatorError } from '../../core/errors.ts';
import type { StoredDocument } from '../port.ts';

export const FORMAT = 'penguindome-backup';
const VERSION = 1;

export const header = z.object({
  format: z.literal(FORMAT),
  version: z.literal(VERSION, `expected version ${VERSION}: it was made by a newer penguindome`),
  /** of the store that it was made of */
  epoch: z.string(),
  made_at: z.iso.datetime().transform((text) => new Date(text)),
  /** whether it shows one moment, or each document by itself */
  consistent: z.boolean(),
});
export type BackupHeader = Omit<z.output<typeof header>, 'format' | 'version'>;

export const trailer = z.strictObject({
  /** lines between header and trailer */
  entries: z.int().min(0),
  /** hex, of all bytes before the trailer's line */
  sha256: z.string(),
});

export const keyFile = z.strictObject({
  /** `server.yml`, `client-settings.yml`, `accounts.yml`, `pki/NAME`, `tls/NAME`, `keys/NAME`; `named/SETTING` or `named/SETTING/NAME` for what a setting names elsewhere */
  file: z
    .string()
    .regex(
      /^((server|client-settings|accounts)\.yml|(pki|tls|keys)\/[\w-][\w.-]*|named\/[a-z0-9_.]+(\/[^/.\0][^/\0]*)?)$/,
      'expected server.yml, client-settings.yml, accounts.yml, pki/NAME, tls/NAME, keys/NAME or named/SETTING',
    ),
  mode: z.int().min(0).max(0o777),
  content: z.base64(),
});

/** What a document may say it belongs to: never the store's own life, nor what is MongoDB's own. */
export const COLLECTION = /^(?!system\.|meta$)[^$\0]+$/;

/** One file of the server's folder. */
export interface KeyFile {
  file: string;
  mode: number;
  content: Uint8Array;
}

export type BackupEntry =
  | { kind: 'header'; header: BackupHeader }
  | ({ kind: 'document' } & StoredDocument)
  | ({ kind: 'file' } & KeyFile);

export const headerLine = ({ epoch, made_at, consistent }: BackupHeader): string =>
  JSON.stringify({ format: FORMAT, version: VERSION, epoch, made_at, consistent });

/** The file is not a backup, or not the whole of one. */
export class BackupDamaged extends OperatorError {
  constructor(why: string, options: { cause?: unknown } = {}) {
    super(`cannot use the backup: ${why}; nothing was changed`, options);
  }
}
