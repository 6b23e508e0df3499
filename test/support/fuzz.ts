import type { Parameters } from 'fast-check';
import { rounds } from './soak.ts';

const seed = process.env['PENGUINDOME_SEED'];

/** Inputs for each decoder: 5,000 in `npm test`, 100,000 in `npm run soak`. fast-check prints the seed of what fails; PENGUINDOME_SEED sets it. */
export const FUZZ: Parameters<unknown> = {
  numRuns: rounds(5000, 100_000),
  ...(seed === undefined ? {} : { seed: Number(seed) }),
};
