import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import test from 'ava';
import { scratchFolder } from '../support/scratch.ts';

test('a demo that is interrupted leaves neither a server nor a folder behind', async (t) => {
  const folder = await scratchFolder(t);
  // Not `npm run demo`, which builds the programs anew under the feet of other tests.
  const program = `
    const { runDemo } = await import('./packaging/demo/run.mjs');
    const stop = new AbortController();
    process.once('SIGINT', () => stop.abort());
    await runDemo({ keep: true, signal: stop.signal, progress: console.log });`;
  const demo = spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => void demo.kill('SIGKILL'));
  let said = '';
  demo.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (said.includes('enrolling this machine')) demo.kill('SIGINT');
  });
  const code = await new Promise((resolve) => demo.on('close', resolve));
  t.not(code, 0);
  t.true(said.includes('enrolling this machine'), said);
  t.deepEqual(await readdir(folder), []);
});
