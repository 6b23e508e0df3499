import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Milliseconds, seconds } from '../../../core/duration.ts';
import type { RunTool } from '../tools.ts';

/** What an orderly shutdown gets. */
const PATIENCE: Milliseconds = seconds(60);
const SYSRQ = '/proc/sysrq-trigger';

/**
 * Powers the machine off: as systemd does it, and by the kernel's own hand where that fails or hangs. A watchman of its own waits for that, since
 * a shutdown ends this process before it can hang.
 */
export async function powerOff(run: RunTool): Promise<void> {
  const watch = [
    '--quiet',
    '--collect',
    '--no-ask-password',
    '--unit=penguindome-power-off',
    '--property=DefaultDependencies=no',
  ];
  const script = `/bin/sleep ${PATIENCE / 1000}; echo o >${SYSRQ}`;
  await run('systemd-run', [...watch, '--', '/bin/sh', '-c', script], { timeout: seconds(15) });
  const { code } = await run('systemctl', ['--no-ask-password', '--no-block', '-i', 'poweroff'], {
    timeout: seconds(15),
  });
  if (code === 0) await sleep(PATIENCE);
  writeFileSync(SYSRQ, 'o');
  await sleep(seconds(10));
  throw new Error('cannot power the machine off: neither systemd nor the kernel does it');
}
