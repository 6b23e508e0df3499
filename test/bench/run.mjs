// npm run bench [-- --json] [-- --quick] [-- NAME …]: measures side by side in one run, and compares ratios.
// What each row means, and the method: docs/performance.md.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { installPackages, root } from '../../packaging/install.mjs';

await installPackages();
const { buildPrograms } = await import('../../packaging/build.mjs');
const { startMongods } = await import('../support/mongods.mjs');
const { buildBenches } = await import('./build.mjs');
const { measureAgent } = await import('./agent.mjs');
const { measureCollection } = await import('./collect.mjs');
const { measureHosts } = await import('./hosts.mjs');
const { measureIssues } = await import('./issues.mjs');
const { measureOrders } = await import('./orders.mjs');
const { measureSubmissions } = await import('./submissions.mjs');
const { measureWire } = await import('./wire.mjs');
const { printTable } = await import('./table.mjs');

const args = process.argv.slice(2);
const words = args.filter((arg) => !arg.startsWith('--'));
const scratch = join(root, `build/bench-${process.pid}`);

await mkdir(join(scratch, 'mongods'), { recursive: true });
const mongods = await startMongods(join(scratch, 'mongods'));
const options = {
  scratch,
  programs: join(scratch, 'programs'),
  quick: args.includes('--quick'),
  wants: (name) => words.length === 0 || words.some((word) => name.includes(word)),
  progress: (text) => console.error(text),
  mongods: mongods.env.PENGUINDOME_TEST_MONGO_REPLICA_SET,
};
try {
  await buildPrograms();
  await buildBenches(options.programs);
  const rows = {};
  for (const measure of [
    measureAgent,
    measureCollection,
    measureWire,
    measureSubmissions,
    measureHosts,
    measureIssues,
    measureOrders,
  ]) {
    try {
      Object.assign(rows, await measure(options));
    } catch (error) {
      // What was measured before it took minutes, and holds.
      console.error(error);
      process.exitCode = 1;
    }
  }
  if (args.includes('--json')) console.log(JSON.stringify(rows, null, 2));
  else printTable(rows);
} finally {
  await mongods.stop();
  await rm(scratch, { recursive: true, force: true });
}
