/** The endpoints for which who may use them is set, as the original names them in its settings. */
export const GUARDED = ['download_release', 'pipe_create'] as const;
export type GuardedEndpoint = (typeof GUARDED)[number];

/** Those that a server is expected to have configured. */
export const MANDATORY: readonly GuardedEndpoint[] = ['pipe_create'];

/** Names of users and groups: what HTTP Basic can carry (RFC 7617 section 2: no colon, no control characters). */
export function isAccountName(name: string): boolean {
  return /^[^\s:\p{C}](?:[^:\p{C}]{0,62}[^\s:\p{C}])?$/u.test(name) && name !== '__proto__';
}
