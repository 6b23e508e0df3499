import { group } from '../group.ts';
import { dns } from './dns.ts';
import { listening } from './listening.ts';
import { proxy } from './proxy.ts';
import { remoteAccessTools } from './remote-access-tools.ts';
import { routing } from './routing.ts';
import { sysctl } from './sysctl.ts';
import { vpn } from './vpn.ts';
import { wifiSecurity } from './wifi-security.ts';

/** What others reach of this machine, and how it reaches others. */
export const network = group('network', 'what listens, name resolution, kernel settings', [
  dns,
  listening,
  proxy,
  remoteAccessTools,
  routing,
  sysctl,
  vpn,
  wifiSecurity,
]);
