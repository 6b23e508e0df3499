import test from 'ava';
import { boot } from '../../../../src/agent/collectors/boot/index.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { hostInFolder, memory, plant } from '../host-in-folder.ts';

const says = async (t: Parameters<typeof hostInFolder>[0], files: Record<string, string>) => {
  const folder = await scratchFolder(t);
  await plant(folder, files);
  return boot.collect(hostInFolder(t, folder), memory());
};

for (const [text, expected] of [
  ['[none] integrity confidentiality\n', 'none'],
  ['none [integrity] confidentiality\n', 'integrity'],
  ['none integrity [confidentiality]\n', 'confidentiality'],
] as const) {
  test(`lockdown "${text.trim()}" is ${expected}`, async (t) => {
    t.like(await says(t, { '/sys/kernel/security/lockdown': text }), { kernel_lockdown: expected });
  });
}

test('a kernel without lockdown has none, and where securityfs is not mounted it is unknown', async (t) => {
  t.like(await says(t, { '/sys/kernel/security/lsm': 'capability\n' }), { kernel_lockdown: 'none' });
  t.like(await says(t, {}), {
    kernel_lockdown: 'unknown',
    reasons: { kernel_lockdown: 'securityfs is not mounted' },
  });
});
