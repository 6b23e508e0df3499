import test, { type ExecutionContext } from 'ava';
import { makeJudge } from '../../src/audit/judge.ts';
import { loadChecks } from '../../src/audit/load-checks.ts';
import type { Value } from '../../src/core/value.ts';
import { rounds } from '../support/soak.ts';
import { CLEAR, LAYOUTS, type Line, TOOLS } from './support/disk-layouts.ts';
import { onVirtualMachine } from './support/needs.ts';
import type { AgentSpeaker } from './support/vm/ask-agent.ts';
import { AGENT, moveOntoSealedRoot, startVirtualMachine, type VirtualMachine } from './support/vm.ts';

const COLLECT = ['collectors', 'run', 'hd_encryption'] as const;

/** One machine for all tests of this file, which go one after the other: emulated, it is dear. */
let started: Promise<VirtualMachine> | undefined;
let speakers: Promise<AgentSpeaker[]> | undefined;
test.after.always('the machine is stopped', async () => {
  await (await started?.catch(() => undefined))?.stop();
});

function machineFor(t: ExecutionContext): Promise<VirtualMachine> {
  t.timeout(15 * 60_000, 'a virtual machine that hangs');
  started ??= startVirtualMachine((line) => t.log(line));
  return started;
}

const lines = (...says: Line[]): Value =>
  says.map(([mountpoint, device, type, encrypted]) => ({ mountpoint, device, type, encrypted }));

async function checkOf(reported: Value) {
  const { checks } = await loadChecks(['checks.d']);
  const host = { hostname: 'laptop', plugins: { hd_encryption: reported } };
  return makeJudge(checks).judge(host, undefined, new Date()).results['unencrypted-hard-drive'];
}

onVirtualMachine('a plain root, and an encrypted home directory only: the home is not enough', async (t) => {
  const machine = await machineFor(t);
  await machine.run(`
    ${TOOLS}
    truncate -s 64M /home/alice.home; seal /home/alice.home; open /home/alice.home home
    mke2fs -q -F -t ext4 /dev/mapper/home; mount /dev/mapper/home /home/alice
  `);
  const asRoot: Value = JSON.parse(await machine.run(`${AGENT} ${COLLECT.join(' ')}`));
  const asAlice: Value = JSON.parse(await machine.run(`runuser -u alice -- ${AGENT} ${COLLECT.join(' ')}`));
  t.deepEqual(asRoot, lines(['/', '/dev/vda', 'ext4', false], ['/home/alice', '/dev/mapper/home', 'ext4', true]));
  t.deepEqual(asAlice, asRoot);
  const check = await checkOf(asRoot);
  t.like(check, { answer: 'fail', fails: true });
  t.deepEqual(check?.evidence, { 'plugins.hd_encryption.encrypted': [false, true] });
  await machine.run('umount /home/alice; cryptsetup close home; rm /home/alice.home');
});

/** The system itself is on LUKS from the first of these on, so that a disk that is plain is the only one. */
async function onSealedRoot(t: ExecutionContext) {
  const machine = await machineFor(t);
  speakers ??= moveOntoSealedRoot(machine).then(() => Promise.all(['root', 'alice'].map(machine.askAgent)));
  return { machine, agents: await speakers };
}

/** An ordinary user is told the same as root. */
async function collectedBy(t: ExecutionContext, agents: AgentSpeaker[]): Promise<Value> {
  const said = await Promise.all(agents.map(async ({ ask }): Promise<Value> => JSON.parse(await ask(...COLLECT))));
  const [asRoot = null, asAlice] = said;
  t.deepEqual(asAlice, asRoot);
  return asRoot;
}

const ROOT: Line = ['/', '/dev/mapper/system', 'ext4', true];

onVirtualMachine('an encrypted root, and nothing else: it passes', async (t) => {
  const { agents } = await onSealedRoot(t);
  const reported = await collectedBy(t, agents);
  t.deepEqual(reported, lines(ROOT));
  t.like(await checkOf(reported), { answer: 'pass', fails: false });
});

for (const [name, { why, make, says, answer, soak }] of Object.entries(LAYOUTS)) {
  if (soak && rounds(0, 1) === 0) continue;
  onVirtualMachine(`${name}: ${why}`, async (t) => {
    const { machine, agents } = await onSealedRoot(t);
    try {
      await machine.run(`${TOOLS}\n${make}`);
      const reported = await collectedBy(t, agents);
      t.deepEqual(reported, lines(ROOT, ...says));
      t.like(await checkOf(reported), { answer, fails: answer === 'fail' });
    } finally {
      await machine.run(`${TOOLS}\n${CLEAR}`);
    }
  });
}
