import type { Collector } from '../collector.ts';
import { accounts } from './accounts/index.ts';
import { agent } from './agent.ts';
import { boot } from './boot/index.ts';
import { disk } from './disk/index.ts';
import { dmidecode } from './dmidecode.ts';
import { eraagent } from './eraagent.ts';
import { eset } from './eset.ts';
import { firewall } from './firewall.ts';
import { geolocation } from './geolocation.ts';
import { guestSession } from './guest-session.ts';
import { hardware } from './hardware/index.ts';
import { hdEncryption } from './hd-encryption.ts';
import { ipAddresses } from './ip-addresses.ts';
import { network } from './network/index.ts';
import { networkDevices } from './network-devices.ts';
import { osInfo } from './os-info.ts';
import { osUpdates } from './os-updates.ts';
import { packages } from './packages/index.ts';
import { prey } from './prey.ts';
import { protection } from './protection/index.ts';
import { screenlock } from './screen-lock.ts';
import { session } from './session/index.ts';
import { sshd } from './sshd.ts';
import { updates } from './updates/index.ts';

/** All built-in collectors, by name. A new one is a file beside this and a line here. */
export const COLLECTORS: readonly Collector[] = [
  accounts,
  agent,
  boot,
  disk,
  dmidecode,
  eraagent,
  eset,
  firewall,
  geolocation,
  guestSession,
  hardware,
  hdEncryption,
  ipAddresses,
  network,
  networkDevices,
  osInfo,
  osUpdates,
  packages,
  prey,
  protection,
  screenlock,
  session,
  sshd,
  updates,
];
