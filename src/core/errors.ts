import type { Value } from './value.ts';

/** Every way in which we say no, and the HTTP status that carries it. */
export const STATUS = {
  'bad-request': 400,
  'bad-digest': 400,
  'clock-skew': 401,
  'login-required': 401,
  'unknown-key': 401,
  'revoked-key': 401,
  'bad-signature': 401,
  'signature-refused': 403,
  'signature-too-old': 403,
  'token-refused': 403,
  'access-not-configured': 403,
  pending: 403,
  lost: 403,
  'downgraded-identity': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  replayed: 409,
  resend: 409,
  'known-key': 409,
  'replaced-key': 409,
  forked: 409,
  'duplicate-hostname': 409,
  'too-large': 413,
  'unsupported-type': 415,
  'range-not-satisfiable': 416,
  'too-many-requests': 429,
  'rotated-recently': 429,
  internal: 500,
  'not-implemented': 501,
  unavailable: 503,
} as const;

export type ErrorCode = keyof typeof STATUS;

/**
 * A request that we refuse. `message` is for the caller ("cannot …", lower case, no full stop);
 * `detail` is for the operator's log only; `extra` are further fields of the answer.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly extra: Readonly<Record<string, Value>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { detail?: string; extra?: Record<string, Value>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = options.detail;
    this.extra = options.extra ?? {};
  }

  get status(): number {
    return STATUS[this.code];
  }
}

/** The store cannot be reached, or cannot write now: the caller is to come back, nothing was acknowledged. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** What an operator did cannot be done: printed as one line, exit status `exitCode` (see docs/exit-codes.md). */
export class OperatorError extends Error {
  override readonly name: string = 'OperatorError';
  readonly exitCode: number;

  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode ?? 1;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
