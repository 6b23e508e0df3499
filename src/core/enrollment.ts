import type { HostId, Identity, KeyId } from './host.ts';

/** What lets a machine enrol. Only the hash of its secret is stored. */
export interface Token {
  /** UUIDv7 */
  id: string;
  /** hex SHA-256 of the secret (128 random bits or more, so a plain hash cannot be guessed back) */
  hash: string;
  created_at: Date;
  expires_at: Date;
  /** how many different keys it may enrol */
  uses: number;
  /** the keys that it has enrolled */
  used_by: KeyId[];
  /** glob over host names (`*` and `?`); absent: any */
  pattern?: string;
  /** approve at once, or leave pending for `penguindome enrollment approve` */
  approve: boolean;
  revoked_at?: Date;
  note?: string;
}

export type EnrollmentStatus = 'pending' | 'approved' | 'revoked';

/** Why a pending enrolment needs somebody to look: its host name belongs to a v2 host, or to one known from v1. */
export type NameConflict = 'v1' | 'v2';

/** One key that asked to speak for a host; kept after approval as the record of it. */
export interface Enrollment {
  key_id: KeyId;
  host_id: HostId;
  hostname: string;
  /** raw 32 bytes, base64 */
  public_key: string;
  machine_id_digest?: string;
  address: string;
  token_id: string;
  /** of the token: names that the host may take later */
  pattern?: string;
  /** it came by rotation: the host's own key that vouched for it */
  replaces?: KeyId;
  /** names that the host had since it was approved, before it was renamed to `hostname` */
  former_hostnames?: string[];
  status: EnrollmentStatus;
  conflict?: NameConflict;
  /** last used sequence number while pending */
  sequence: number;
  enrolled_at: Date;
  approved_at?: Date;
  revoked_at?: Date;
  revoked_why?: string;
}

/** The identity that an approved enrolment gives its host. The sequence number goes on from the last one used while pending. */
export function identityOf(enrollment: Enrollment, at: Date): Identity {
  const { host_id, key_id, public_key, machine_id_digest, pattern, sequence, enrolled_at } = enrollment;
  return {
    host_id,
    keys: [{ id: key_id, public_key, added_at: enrolled_at }],
    ...(machine_id_digest === undefined ? {} : { machine_id_digest }),
    ...(pattern === undefined ? {} : { pattern }),
    enrolled_at,
    approved_at: at,
    sequence,
    epoch: null,
    last: null,
    digest: null,
    list: {},
  };
}
