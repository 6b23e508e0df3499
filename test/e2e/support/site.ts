import { join } from 'node:path';
import { type Machine, PROGRAMS } from './machine.ts';

/** A PenguinDome server set up in a machine, under one folder, as a unit that the tests write themselves. */
export interface Site {
  /** `penguindome`, the operator's command, on this server's settings; without `--json` */
  dome(...args: string[]): Promise<string>;
  /** the same with `--json`, parsed */
  domeJson(...args: string[]): Promise<unknown>;
  /** one property of the server's unit */
  property(name: string): Promise<string>;
  /** status of a path on the local port; 0 where nothing listens */
  local(path: string): Promise<number>;
}

export const DIR = '/srv/penguindome';
export const UNIT = 'penguindome-server.service';
export const PORT = 8443;
const LOCAL_PORT = 5000;
export const program = (name: string) => join(PROGRAMS, 'build', name);

export async function setUpSite(
  machine: Machine,
  options: { hostName?: string; setup?: string[]; service?: Record<string, string> } = {},
): Promise<Site> {
  const hostName = options.hostName ?? 'localhost';
  const url = `https://${hostName}:${PORT}`;
  await machine.run([
    ...[program('penguindome'), 'setup', '--yes', '--dir', DIR, '--port', `${PORT}`, '--local-port', `${LOCAL_PORT}`],
    ...['--public-url', url, '--host-name', hostName, ...(options.setup ?? [])],
  ]);
  await machine.write(`/etc/systemd/system/${UNIT}`, unitFile(options.service ?? {}));
  await machine.run(['systemctl', 'daemon-reload']);
  const dome = (...args: string[]) =>
    machine.run([program('penguindome'), '--config', join(DIR, 'server.yml'), ...args]);
  return {
    dome,
    domeJson: async (...args) => JSON.parse(await dome(...args, '--json')),
    property: async (name) => (await machine.run(['systemctl', 'show', '--value', '-p', name, UNIT])).trim(),
    async local(path) {
      const ask = `fetch('http://127.0.0.1:${LOCAL_PORT}${path}').then((a) => console.log(a.status), () => console.log(0))`;
      return Number(await machine.run(['node', '-e', ask]));
    },
  };
}

/** Sandboxing is the business of the product's own units, not of this one. */
function unitFile(service: Record<string, string>): string {
  const keys = {
    ExecReload: '/bin/kill -HUP $MAINPID',
    ExecStart: `${program('penguindome-server')} --config ${join(DIR, 'server.yml')}`,
    NotifyAccess: 'all',
    Type: 'notify',
    ...service,
  };
  const lines = Object.entries(keys).map(([key, value]) => `${key}=${value}`);
  return ['[Unit]', 'Description=PenguinDome server', '[Service]', ...lines, ''].join('\n');
}
