// npm run demo: the main job on this very machine, without root, in a temporary folder: server with TLS and the embedded store,
// enrolment, collection, submission, a second one that sends only what changed, a replay that is refused, audit, report.
//   npm run demo [-- --json] [-- --keep]
import { installPackages } from './install.mjs';

await installPackages();
const { buildPrograms } = await import('./build.mjs');
const { runDemo } = await import('./demo/run.mjs');
const { printReport } = await import('./demo/report.mjs');

const args = process.argv.slice(2);
const unknown = args.find((arg) => !['--json', '--keep', '--help'].includes(arg));
if (unknown !== undefined) {
  console.error(`demo: cannot understand ${unknown}; it takes --json and --keep`);
  process.exitCode = 2;
} else if (args.includes('--help')) {
  console.log(`npm run demo [-- OPTIONS]

Runs PenguinDome on this machine in a temporary folder, and says what it found.

  --json   one JSON object instead of the report
  --keep   leave the server running, and the folder in place`);
} else {
  const json = args.includes('--json');
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.once(signal, () => stop.abort(new Error(`stopped by ${signal}; everything is removed again`)));
  try {
    await buildPrograms();
    const result = await runDemo({
      keep: args.includes('--keep'),
      signal: stop.signal,
      progress: (text) => json || console.log(text),
    });
    if (json) console.log(JSON.stringify(result, null, 2));
    else printReport(result);
    if (!result.refused.replay) process.exitCode = 1;
  } catch (error) {
    console.error(`demo: ${(stop.signal.reason ?? error).message}`);
    process.exitCode = 1;
  }
}
