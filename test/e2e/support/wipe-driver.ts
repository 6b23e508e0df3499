import { build } from 'esbuild';

/** One file that runs `wipe` and `unlock` in a machine, as an order's process would: test/fixtures/machine/wipe-driver.ts. */
export async function wipeDriver(): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: process.cwd(),
    bundle: true,
    charset: 'ascii',
    entryPoints: ['test/fixtures/machine/wipe-driver.ts'],
    format: 'cjs',
    platform: 'node',
    target: 'node18.19',
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}

/** What a driver printed. */
export interface Told {
  before: string[];
  steps: string[];
  outcome: { state: string; reason?: string; steps: string[] } | undefined;
}

export function readTold(stdout: string): Told {
  const told: Told = { before: [], steps: [], outcome: undefined };
  for (const line of stdout.split('\n').filter((each) => each.startsWith('{'))) {
    const { before, step, outcome } = JSON.parse(line);
    if (before !== undefined) told.before = before;
    if (step !== undefined) told.steps.push(step);
    if (outcome !== undefined) told.outcome = outcome;
  }
  return told;
}
