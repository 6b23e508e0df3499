/**
 * How often a test of faults or fuzz repeats: `few` times in `npm test`, `many` in `npm run soak`, which runs just the files that ask here.
 */
export function rounds(few: number, many: number): number {
  return process.env['PENGUINDOME_SOAK'] === '1' ? many : few;
}
