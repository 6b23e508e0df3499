import { connect } from 'node:net';
import { seconds } from '../core/duration.ts';
import type { ServerSettings } from '../settings/server-settings.ts';

const PATIENCE = seconds(2);

/** Whether this machine's server listens: on its local port, or where that is any free one, on one of the others. */
export async function isServerRunning(
  { local_port, ports }: Pick<ServerSettings, 'local_port' | 'ports'>,
  signal: AbortSignal,
): Promise<boolean> {
  const places = local_port === 0 ? ports : [{ host: '127.0.0.1', port: local_port }];
  const answers = await Promise.all(places.map(({ host, port }) => listens({ host: reachable(host), port }, signal)));
  return answers.includes(true);
}

function reachable(host: string | undefined): string {
  return host === undefined || host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
}

function listens(place: { host: string; port: number }, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...place, timeout: PATIENCE, signal });
    const tell = (answer: boolean) => {
      resolve(answer);
      socket.destroy();
    };
    socket.once('connect', () => tell(true));
    socket.once('timeout', () => tell(false));
    socket.once('error', () => tell(false));
  });
}
