import { EXIT, type ExitCode } from './exit-codes.ts';

/** Why a request came to nothing; reports are kept with each of them. */
export type ProblemCode =
  | 'pending'
  | 'forked'
  | 'unknown-key'
  | 'revoked-key'
  | 'lost'
  | 'downgraded-identity'
  | 'token-refused'
  | 'clock-skew'
  | 'certificate'
  | 'certificate-dates'
  | 'unreachable'
  | 'timed-out'
  | 'unverified'
  | 'busy'
  | 'orders'
  | 'refused';

export class RequestProblem extends Error {
  override readonly name = 'RequestProblem';
  readonly code: ProblemCode;
  readonly serverTime: string | undefined;
  readonly agentTime: string | undefined;

  constructor(
    code: ProblemCode,
    message: string,
    options: { cause?: unknown; serverTime?: string; agentTime?: string } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.serverTime = options.serverTime;
    this.agentTime = options.agentTime;
  }
}

interface Advice {
  /** what to do about it, told in `status` */
  advice: string;
  exit: ExitCode;
}

const ADVICE: Record<ProblemCode, Advice> = {
  pending: {
    advice: 'an operator has to approve it on the server: penguindome enrollment approve',
    exit: EXIT.refused,
  },
  forked: {
    advice:
      'the server has seen this identity somewhere else (a cloned disk, a restored snapshot); find the other one, then let an operator clear it there: penguindome enrollment replace HOST --same-key',
    exit: EXIT.refused,
  },
  'unknown-key': {
    advice: 'the server does not know this host; enrol it: penguindome-agent enroll',
    exit: EXIT.refused,
  },
  'revoked-key': {
    advice:
      'an operator has revoked this host; with a new token it can enrol again: penguindome-agent enroll --new-key',
    exit: EXIT.refused,
  },
  lost: {
    advice: 'an operator marked this machine as lost; if it is not, ask for penguindome hosts lost --found',
    exit: EXIT.refused,
  },
  'downgraded-identity': { advice: 'ask the operator of the server', exit: EXIT.refused },
  'token-refused': {
    advice: 'ask for a new token: it is unknown, expired, used up, or made for other host names',
    exit: EXIT.refused,
  },
  'clock-skew': { advice: "set this host's clock, and see that it is kept right (timedatectl)", exit: EXIT.clock },
  certificate: {
    advice:
      'the server is not the one that this host enrolled with, or its certificate was replaced; ask its operator before you enrol again',
    exit: EXIT.failed,
  },
  'certificate-dates': {
    advice: "see whether this host's clock is right (timedatectl); else the server needs a new certificate",
    exit: EXIT.clock,
  },
  unreachable: {
    advice: 'see whether this host is on the network and the server runs; it is tried again',
    exit: EXIT.tryAgain,
  },
  'timed-out': {
    advice: 'see whether this host is on the network and the server runs; it is tried again',
    exit: EXIT.tryAgain,
  },
  unverified: {
    advice:
      'something between this host and the server answers in its place (a proxy, a portal), or the server has lost its answer key',
    exit: EXIT.tryAgain,
  },
  busy: { advice: 'nothing to do here: the server cannot take reports now; it is tried again', exit: EXIT.tryAgain },
  orders: {
    advice:
      'see whether the disk is full, and whom inbox/ belongs to; what has come so far is kept, and it is tried again',
    exit: EXIT.tryAgain,
  },
  refused: { advice: "look into the server's log", exit: EXIT.failed },
};

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(ADVICE, code);
}

export function adviceOn(code: string): string {
  return isProblemCode(code) ? ADVICE[code].advice : ADVICE.refused.advice;
}

export function exitFor(code: string): ExitCode {
  return isProblemCode(code) ? ADVICE[code].exit : EXIT.failed;
}
