// npm run bench [-- --json] [-- --quick] [-- NAME …]: measures side by side in one run, and compares ratios.
// What each row means, and the method: docs/performance.md.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { installPackages, root } from '../../packaging/install.mjs';

await installPackages();
const { buildPrograms } = await import('../../packaging/build.mjs');
const { buildBenches } = await import('./build.mjs');
const { measureAgent } = await import('./agent.mjs');
const { measureServer } = await import('./server.mjs');
const { printTable } = await import('./table.mjs');

const args = process.argv.slice(2);
const json = args.includes('--json');
const scratch = join(root, `build/bench-${process.pid}`);
const options = {
  scratch,
  programs: join(scratch, 'programs'),
  quick: args.includes('--quick'),
  wanted: args.filter((arg) => !arg.startsWith('--')),
  progress: (text) => console.error(text),
};

try {
  await mkdir(scratch, { recursive: true });
  await buildPrograms();
  await buildBenches(options.programs);
  const rows = { ...(await measureAgent(options)), ...(await measureServer(options)) };
  if (json) console.log(JSON.stringify(rows, null, 2));
  else printTable(rows);
} finally {
  await rm(scratch, { recursive: true, force: true });
}
