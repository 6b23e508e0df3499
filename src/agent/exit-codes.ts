/** What the exit status of penguindome-agent says; `--help` prints this table. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** not enrolled, or settings that cannot be used */
  notSetUp: 3,
  /** the server refuses this host until an operator acts there */
  refused: 4,
  /** this host's clock and the server's differ too much */
  clock: 5,
  /** nothing is lost, nothing is done: try again later (EX_TEMPFAIL of sysexits.h) */
  tryAgain: 75,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_HELP = `Exit status:
   0  done; with status: all is well
   1  failed; with status: something is wrong
   2  wrong usage
   3  not enrolled, or settings that cannot be used
   4  the server refuses this host until an operator acts (pending, forked, lost, revoked or unknown key, token)
   5  this host's clock is wrong
  75  try again later: reports are kept (no network, server busy, another run under way)`;
