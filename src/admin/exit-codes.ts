/** What the exit status of `penguindome` says; docs/exit-codes.md tells the same. */
export const EXIT = {
  ok: 0,
  /** it could not be done; the line on standard error says why and what to do */
  failed: 1,
  /** wrong usage, or an answer that nobody was there to give */
  usage: 2,
  /** settings or keys that are missing or cannot be used */
  notSetUp: 3,
  /** a fault of the program itself (EX_SOFTWARE of sysexits.h) */
  internal: 70,
  /** the store cannot be reached: try again later (EX_TEMPFAIL) */
  tryAgain: 75,
  /** stopped by Ctrl-C, or at a question by end of input */
  interrupted: 130,
} as const;
