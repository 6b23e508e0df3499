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
  return [...new Map(repositories.map((each) => [keyOf(each), each])).values()].sort((a, b) =>
    keyOf(a) < keyOf(b) ? -1 : 1,
  );
}
