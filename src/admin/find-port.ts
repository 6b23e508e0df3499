import { OperatorError } from '../core/errors.ts';
import type { ServerSettings } from '../settings/server-settings.ts';

export type PortSettings = ServerSettings['ports'][number];

export interface FoundPort {
  /** in the settings' list */
  index: number;
  port: PortSettings;
}

/** By its number, or as `ADDRESS:NUMBER` where several have that number. @throws OperatorError where none or several are meant */
export function findPort({ ports }: Pick<ServerSettings, 'ports'>, wanted: string): FoundPort {
  const found = ports
    .map((port, index) => ({ port, index }))
    .filter(({ port }) => wanted === portName(port) || wanted === String(port.port));
  const [only, ...others] = found;
  if (only === undefined) {
    throw new OperatorError(`cannot find port ${wanted}: the server has ${ports.map(portName).join(' and ')}`);
  }
  const exact = found.find(({ port }) => wanted === portName(port) && port.host !== undefined);
  if (others.length === 0 || exact !== undefined) return exact ?? only;
  const names = found.map(({ port }) => portName(port));
  throw new OperatorError(`cannot tell which port is meant: ${names.join(' or ')}`);
}

/** `8443`, `192.0.2.1:8443`, `[2001:db8::1]:8443` */
export function portName({ port, host }: Pick<PortSettings, 'port' | 'host'>): string {
  if (host === undefined) return String(port);
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether agents are told to come to this one. */
export function isPublic({ public_url }: Pick<ServerSettings, 'public_url'>, { port }: PortSettings): boolean {
  const url = new URL(public_url);
  return Number(url.port || (url.protocol === 'https:' ? 443 : 80)) === port;
}

/** Host name or address in the URL that agents are told. */
export function publicName({ public_url }: Pick<ServerSettings, 'public_url'>): string {
  return new URL(public_url).hostname.replace(/^\[|\]$/g, '');
}
