/** A place that packages come from. */
export interface Repository {
  name: string;
  /** where it is set up */
  file: string;
  /** is not of the distribution itself; unknown where nothing says whose it is */
  foreign: boolean | 'unknown';
  /** sorted */
  problems: Problem[];
}

/**
 * - `unsigned`: packages are installed without a signature, or with a bad one;
 * - `unsigned-allowed`: a signature is checked where there is one, and none is needed;
 * - `any-key`: whichever key apt trusts may sign it, and not its own alone.
 */
export type Problem = 'unsigned' | 'unsigned-allowed' | 'any-key';

export function sortedRepositories(repositories: readonly Repository[]): Repository[] {
  const keyOf = ({ file, name }: Repository) => `${file}\0${name}`;
  // Two of one file and name may be different ones, of whose addresses not all is told.
  const whole = (each: Repository) => `${keyOf(each)}\0${each.foreign}\0${each.problems.join()}`;
  return [...new Map(repositories.map((each) => [whole(each), each])).values()].sort((a, b) =>
    whole(a) < whole(b) ? -1 : 1,
  );
}
