import test from 'ava';
import { agent } from '../../../../src/agent/collectors/agent/index.ts';
import { memory, thisHost } from '../host-in-folder.ts';

test('an agent tells its version', async (t) => {
  t.like(await agent.collect(thisHost(t), memory()), { version: '1.2.3' });
});
