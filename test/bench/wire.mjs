import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { root } from '../../packaging/install.mjs';
import { ourServer, setUp, whileServing } from './site.mjs';
import { median, row } from './table.mjs';

const TICKS_A_DAY = 1440;
/** Of IPv4 and TCP with its time stamps, which the proxy does not see: a resumed tick was counted (AF_PACKET) to be ten segments, two of them SYN. */
const HEADERS = 2 * 60 + 8 * 52;

/** What the real agent of a host where nothing changes sends and gets, each tick with a process and a connection of its own. */
export async function measureWire(options) {
  const name = "a quiet host's day at 60 s: on the wire";
  if (!options.wants(name)) return {};
  options.progress(`${name} …`);
  const folder = join(options.scratch, 'site');
  const counted = { bytes: 0, port: 0 };
  const proxy = createServer((client) => {
    const server = connect({ port: counted.port, host: '127.0.0.1' });
    for (const [from, to] of [
      [client, server],
      [server, client],
    ]) {
      from.on('data', (chunk) => {
        counted.bytes += chunk.length;
      });
      from.on('error', () => to.destroy());
      from.pipe(to);
    }
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  try {
    const site = await setUp({ store: 'embedded', publicPort: proxy.address().port }, folder);
    counted.port = site.port;
    const ticks = await whileServing(site, ourServer(site), {}, () => quietTicks(site, counted));
    const value = ((median(ticks) + HEADERS) * TICKS_A_DAY) / 1e6;
    return {
      [name]: row({ value, unit: 'MB', target: { at_most: 4 } }),
      'a quiet check-in: on the wire, in TCP': row({ value: median(ticks), unit: 'bytes' }),
    };
  } finally {
    proxy.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** @returns bytes of each tick after the first */
async function quietTicks({ folder, config }, counted) {
  const state = join(folder, 'agent');
  const agent = (args, input) => run([`${root}build/penguindome-agent`, '--state', state, ...args], input);
  await mkdir(join(state, 'etc'), { recursive: true });
  // apt's simulation of an upgrade costs seconds, and no bytes
  await writeFile(join(state, 'etc/agent.yml'), 'collectors:\n  disabled: [os_updates]\n');
  const token = await run([`${root}build/penguindome`, '--config', config, 'enrollment', 'token', '--approve']);
  await agent(['enroll'], token);
  const ticks = [];
  for (let tick = 0; tick < 6; tick += 1) {
    const before = counted.bytes;
    await agent(['collect']);
    await agent(['submit']);
    if (tick > 1) ticks.push(counted.bytes - before);
  }
  return ticks;
}

/** Not spawnSync: the proxy lives in this process. @returns what it printed */
async function run(args, input = '') {
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (text) => {
    said += text;
  });
  child.stdin.end(input);
  const [status] = await once(child, 'close');
  if (status !== 0) throw new Error(`cannot measure: ${args.join(' ')} ended with ${status}`);
  return said;
}
