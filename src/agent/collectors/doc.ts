import type { Fact } from './group.ts';

/** The systems that we name in the documentation. */
export const DISTRIBUTIONS = ['debian-12', 'debian-13', 'ubuntu', 'arch', 'fedora'] as const;
type Distribution = (typeof DISTRIBUTIONS)[number];

/** `real`: a test runs it on such a system, or with its real tool; `output`: tests run on recorded or documented output of such a system; `no`: not yet. */
export type Tested = 'real' | 'output' | 'no';

/** What docs/collectors.md says of a fact (`npm run docs` writes it there). Nothing that runs imports it. */
export interface FactDoc {
  fact: Pick<Fact, 'name' | 'interval'>;
  /** one sentence: what it tells, and when it is unknown */
  tells: string;
  /** files and programs */
  reads: readonly string[];
  /** what is told without root; undefined: the same */
  root?: string;
  /** of the value, as in JSON, with `|` between alternatives */
  shape: string;
  /** CPU time on a slow machine, programs included: `5 ms` */
  cost: string;
  tested: Readonly<Record<Distribution, Tested>>;
  /** where recorded outputs come from */
  sources?: readonly string[];
}
