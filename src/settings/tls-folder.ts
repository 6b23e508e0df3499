import { join } from 'node:path';
import type { ServerSettings } from './server-settings.ts';

/** Certificates of ports that are made here, and their keys: in the server's own folder, for they change while it runs, and only the CA's key is root's. */
export function tlsFolder({ state }: Pick<ServerSettings, 'state'>): string {
  return join(state, 'tls');
}
