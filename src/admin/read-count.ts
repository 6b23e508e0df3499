import { InvalidArgumentError } from 'commander';

/** Reads the value of an option that counts something. */
export function readCount(text: string): number {
  const count = Number(text);
  if (!/^\d{1,7}$/.test(text) || count < 1) throw new InvalidArgumentError('Expected a whole number of 1 or more.');
  return count;
}
