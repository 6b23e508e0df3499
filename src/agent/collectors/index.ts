import type { Collector } from '../collector.ts';
import { boot } from './boot/index.ts';
import { firewall } from './firewall.ts';
import { hdEncryption } from './hd-encryption.ts';
import { networkDevices } from './network-devices.ts';
import { osInfo } from './os-info.ts';
import { osUpdates } from './os-updates.ts';
import { sshd } from './sshd.ts';

/** All built-in collectors, by name. A new one is a file beside this and a line here. */
export const COLLECTORS: readonly Collector[] = [boot, firewall, hdEncryption, networkDevices, osInfo, osUpdates, sshd];
