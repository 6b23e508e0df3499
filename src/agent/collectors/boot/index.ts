import { group } from '../group.ts';
import { bootloader } from './bootloader.ts';
import { cpuVulnerabilities } from './cpu-vulnerabilities.ts';
import { firmware } from './firmware.ts';
import { kernelLockdown } from './kernel-lockdown.ts';
import { moduleSigning } from './module-signing.ts';
import { rebootRequired } from './reboot-required.ts';
import { secureBoot } from './secure-boot.ts';
import { thunderbolt } from './thunderbolt.ts';
import { tpm } from './tpm.ts';

/** From the firmware to the running kernel. */
export const boot = group('boot', 'how the machine starts, and what its kernel enforces', [
  bootloader,
  cpuVulnerabilities,
  firmware,
  kernelLockdown,
  moduleSigning,
  rebootRequired,
  secureBoot,
  thunderbolt,
  tpm,
]);
