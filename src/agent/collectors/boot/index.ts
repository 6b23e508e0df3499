import { group } from '../group.ts';
import { kernelLockdown } from './kernel-lockdown.ts';

/** From the firmware to the running kernel. */
export const boot = group('boot', 'how the machine starts, and what its kernel enforces', [kernelLockdown]);
