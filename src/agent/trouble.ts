/** One thing that is not well, and what to do about it. */
export interface Trouble {
  code: string;
  what: string;
  advice: string;
}
