/** What a program takes from outside besides its store and network: passed in, so that tests can choose it. */
export interface Clock {
  now(): Date;
}

export interface Random {
  /** UUID version 7 (RFC 9562 section 5.7), lower case */
  uuid(): string;
  /** cryptographically strong */
  bytes(count: number): Uint8Array;
}
