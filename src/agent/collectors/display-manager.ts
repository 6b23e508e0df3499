import type { HostAccess } from '../collector.ts';
import { linkAt } from './lenient.ts';

const LINK = '/etc/systemd/system/display-manager.service';

/** Which program asks people who they are, such as `gdm3` or `lightdm`: what systemd starts under that name. @returns undefined where there is none */
export async function displayManager(host: HostAccess): Promise<string | undefined> {
  return /([^/]+)\.service$/.exec((await linkAt(host, LINK)) ?? '')?.[1];
}
