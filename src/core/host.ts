import type { CheckResult, Judgement } from './check.ts';
import type { Fields } from './value.ts';

/** UUIDv7, given at enrolment; survives key rotation and renaming. */
export type HostId = string & { readonly __brand: 'HostId' };
/** Base64url SHA-256 of the raw 32 bytes of an Ed25519 public key. */
export type KeyId = string & { readonly __brand: 'KeyId' };
/** Lower-case hex SHA-256 of a body's canonical JSON (RFC 8785), or of a list of bodies. */
export type Digest = string & { readonly __brand: 'Digest' };

/** RFC 1123 host name, or the looser ones that exist: at most 253 of letters, digits, `-`, `_`, `.`; starts with a letter or digit. */
const HOSTNAME = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?$/;

export function isHostname(text: string): boolean {
  return HOSTNAME.test(text) && !text.includes('..');
}

/** Names are told apart as in DNS (RFC 4343): the case of ASCII letters does not count. For comparing; what is shown and stored is as spelt. */
export function foldName(hostname: string): string {
  return hostname.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

export function isSameName(one: string, other: string): boolean {
  return one === other || foldName(one) === foldName(other);
}

export interface HostKey {
  id: KeyId;
  /** raw 32 bytes, base64 */
  public_key: string;
  added_at: Date;
  /** refused from then on, because another key took over */
  ends_at?: Date;
  /** the host's own key that vouched for this one; absent on a key that enrolled */
  replaces?: KeyId;
  revoked_at?: Date;
}

/** Whether what this key signs counts at that time. The stores' guards say the same in their own words. */
export function isValid({ revoked_at, ends_at }: Pick<HostKey, 'revoked_at' | 'ends_at'>, at: Date): boolean {
  return revoked_at === undefined && (ends_at === undefined || ends_at > at);
}

/** What the server last told a host that its submission was stored: repeated when the answer was lost. */
export interface Acknowledgement {
  /** id of the submission (UUIDv7) */
  submission: string;
  /** the random value that the host's next submission must carry */
  chain: string;
  at: Date;
}

/** The part of a host's document that v2 keeps for itself; absent on a host that only ever spoke v1. */
export interface Identity {
  host_id: HostId;
  keys: HostKey[];
  machine_id_digest?: string;
  /** of the token that let it in: names that it may take (glob); absent: any */
  pattern?: string;
  /** another name that it reports, and was not given */
  claimed_hostname?: string;
  /** since when an operator calls the machine lost: its keys may only fetch orders and report their results */
  lost_at?: Date;
  enrolled_at: Date;
  approved_at: Date;
  /** last used sequence number, microseconds since 1970 by the host's clock; below 2^53 until 2255 */
  sequence: number;
  /** store epoch in which the last submission was accepted; null before the first */
  epoch: string | null;
  last: Acknowledgement | null;
  /** digest of `list`; null before the first report */
  digest: Digest | null;
  /** what the stored report is made of: body name (`plugins.NAME`, `commands.NAME`) → digest */
  list: Record<string, Digest>;
}

/**
 * One host as stored (collection `clients`; wire-v1 "Database"). Fields that we do not know are kept.
 * Names are the stored ones, which are the original's where it had one.
 */
export interface Host {
  hostname: string;
  plugins?: Fields;
  commands?: Fields;
  collected_at?: Date;
  submitted_at?: Date;
  suspended?: boolean;
  identity?: Identity;
  checks?: Judgement;
  /** false while what `checks` says has not yet been carried over to the issues */
  settled?: boolean;
}

/** What the audit needs of a host, which is little of what there is: documents may be megabytes. */
export interface HostFacts {
  hostname: string;
  submitted_at?: Date;
  /** of its identity */
  approved_at?: Date;
  suspended: boolean;
  /** `plugins.os_info.distname` */
  distribution?: string;
  /** `checks.version` */
  version?: string;
  /** of `checks`, those that were asked for */
  results: Record<string, CheckResult>;
}
