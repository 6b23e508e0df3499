import { basename, dirname, join } from 'node:path';
import { type Machine, PROGRAMS } from './machine.ts';

const PORT = 27017;
const FOLDER = '/opt/mongod';
export const MONGOD_UNIT = 'mongod.service';
export const MONGOD_HOST = `127.0.0.1:${PORT}`;

const mongod = process.env['PENGUINDOME_TEST_MONGOD'] ?? '';

/** What `bootMachine` is to show inside for `startMongod`. */
export const MONGOD_BINDS = { [dirname(mongod)]: FOLDER };

/** A mongod of the machine's own, as a replica set `rs0` of one member. */
export async function startMongod(machine: Machine): Promise<void> {
  const program = join(FOLDER, basename(mongod));
  const options = `--dbpath /var/lib/mongod --bind_ip 127.0.0.1 --port ${PORT} --replSet rs0 --nounixsocket --quiet`;
  await machine.write(
    `/etc/systemd/system/${MONGOD_UNIT}`,
    `[Service]\nStateDirectory=mongod\nExecStart=${program} ${options}\nStandardOutput=null\n`,
  );
  await machine.run(['systemctl', 'start', MONGOD_UNIT]);
  await machine.run(['node', `${PROGRAMS}/machine/initiate-replica-set.mjs`, `${PORT}`]);
}

/** As a power cut does. `systemctl start` begins it again, on the same data. */
export async function killMongod(machine: Machine): Promise<void> {
  await machine.run(['systemctl', 'kill', '--signal', 'KILL', MONGOD_UNIT]);
  await machine.until('mongod is gone', async () =>
    (await machine.attempt(['systemctl', 'is-failed', MONGOD_UNIT])).status === 0 ? true : undefined,
  );
}
