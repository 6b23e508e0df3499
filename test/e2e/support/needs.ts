import { spawnSync } from 'node:child_process';
import { whenPresent } from '../../support/needs.ts';

const TOOLS = ['systemd-nspawn', 'mmdebstrap', 'setpriv', 'unshare', 'nsenter', 'flock'];
const missing = [
  ...(process.getuid?.() === 0 ? [] : ['root']),
  ...TOOLS.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' }).status !== 0),
];

/** A test that boots machines. */
export const onMachine = whenPresent(missing.length === 0, `booted machines need ${missing.join(', ')}`);

const mongod = process.env['PENGUINDOME_TEST_MONGOD'];

/** A test that boots machines which run a mongod of their own. */
export const onMachineWithMongod = whenPresent(
  missing.length === 0 && mongod !== undefined,
  `booted machines with a MongoDB need ${[...missing, ...(mongod === undefined ? ['a mongod'] : [])].join(', ')}`,
);
