// Acts on an order that lies on the disk as accepted, in a process of its own that a test may have end itself (-9) before any step.
// In: {state, id, kill, fail} as JSON: before which step it ends itself, counted from 0, and which one fails. Out: the name of each step.
import { actOn } from '../../../src/agent/orders/act-on.ts';
import { readAccepted } from '../../../src/agent/orders/read-accepted.ts';
import { openResults } from '../../../src/agent/orders/results.ts';
import { placesOf } from '../../../src/agent/places.ts';
import { realClock } from '../world.ts';

const { state, id, kill, fail } = JSON.parse(process.argv[2] ?? '{}');
const places = placesOf({ state });
let count = 0;
await actOn(await readAccepted(places, id), {
  places,
  clock: realClock,
  uid: process.geteuid?.() ?? 0,
  boot: 'test',
  results: openResults(places, realClock),
  start: async () => undefined,
  collectSoon: async () => undefined,
  onStep: (name) => {
    if (count++ === kill) process.kill(process.pid, 'SIGKILL');
    if (name === fail) throw new Error('this step was told to fail');
    console.log(name);
  },
});
