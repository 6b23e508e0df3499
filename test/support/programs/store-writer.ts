// The process that writes to an embedded store for others: what a test of a writer that is killed runs.
// In: the file and the socket. Ends when its standard input does.
import { once } from 'node:events';
import { serveWrites } from '../../../src/store/embedded/serve-writes.ts';
import { realClock, realRandom, WRITER_VERSION } from '../world.ts';

const [file = '', socket = ''] = process.argv.slice(2);
const log = { event: (name: string) => console.log(JSON.stringify(name)) };
const writer = await serveWrites({
  file,
  socket,
  version: WRITER_VERSION,
  clock: realClock,
  random: realRandom,
  log,
});
console.log(JSON.stringify('open'));
await once(process.stdin.resume(), 'end');
await writer.close();
