import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { COLLECTORS } from '../../src/agent/collectors/index.ts';
import { whenPresent } from '../support/needs.ts';
import { newMachine } from './support/machine.ts';
import { runAgent } from './support/program.ts';
import { startSite } from './support/site.ts';

const node = process.env['PENGUINDOME_TEST_NODE18'];
const onNode18 = whenPresent(node !== undefined, 'the agent on Node 18.19: no such Node');

onNode18('the built agent enrols, collects, submits and tells its status on Node 18.19', async (t) => {
  const site = await startSite(t);
  const machine = await newMachine(t);
  await machine.settings('hostname: testhost\n');
  const agent = async (args: string[], input = '') => {
    const ended = await runAgent(['--state', machine.state, '--json', ...args], { node: node ?? '', input });
    t.notRegex(ended.err, /Warning|is not a function/);
    return { ...ended, said: JSON.parse(ended.out) };
  };
  t.like((await agent(['enroll'], await site.token())).said, { status: 'approved' });
  const collected = await agent(['collect']);
  t.deepEqual(
    collected.said.failed.filter(({ reason }: { reason: string }) => /is not a|not defined/.test(reason)),
    [],
  );
  const everywhere = COLLECTORS.filter(({ optIn }) => optIn === undefined).map(({ name }) => `plugins.${name}`);
  t.deepEqual(collected.said.names, everywhere.sort());
  t.like((await agent(['submit'])).said, { waiting: 0, bad: [] });
  t.like((await agent(['run'])).said, { collected: false });
  const status = await agent(['status']);
  t.like(status.said, { enrolled: true, hostname: 'testhost', waiting: 0 });
  const host = await site.store.hosts.find('testhost');
  t.true(Object.keys(host?.plugins ?? {}).length >= everywhere.length);
  t.like(JSON.parse(await readFile(join(machine.state, 'status.json'), 'utf8')), { enrolled: true });
});
