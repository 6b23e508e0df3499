import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../packaging/install.mjs';
import { prepare, setUp } from './site.mjs';
import { median, row } from './table.mjs';

const HOSTS = 1000;
const TIMES = 5;

/** `penguindome command` for all hosts: from its start to its end, when the order is signed and queued for each of them. */
export async function measureOrders({ mongods, ...options }) {
  const rows = {};
  for (const store of mongods === undefined ? ['embedded'] : ['embedded', 'mongo']) {
    const name = `orders: one for 1,000 hosts, ${store}`;
    if (options.wants(name)) Object.assign(rows, await measureStore(name, { ...options, store, mongo: mongods }));
  }
  return rows;
}

async function measureStore(name, options) {
  const { progress, quick, scratch } = options;
  progress(`${name} …`);
  const folder = join(scratch, 'site');
  try {
    const site = await setUp(options, folder);
    prepare(options, site, 'hosts', HOSTS);
    const figures = Array.from({ length: quick ? 2 : TIMES }, () => order(site));
    return {
      [name]: row({ value: median(figures.map(({ wall }) => wall)), unit: 's', target: { at_most: 2 } }),
      [`${name}, CPU time`]: row({ value: median(figures.map(({ cpu }) => cpu)), unit: 's' }),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Of the command itself, in seconds; the time of a mongod is in `wall` alone. */
const SCRIPT = `import json,resource,subprocess,sys,time
start=time.monotonic()
ran=subprocess.run(sys.argv[1:],stdout=subprocess.PIPE)
wall=time.monotonic()-start
u=resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"status":ran.returncode,"wall":wall,"cpu":u.ru_utime+u.ru_stime,"said":ran.stdout.decode()}))`;

function order({ config }) {
  const program = [`${root}build/penguindome`, '--config', config];
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const run = (args) => {
    const command = [process.execPath, ...program, ...args];
    const { stdout, stderr } = spawnSync('python3', ['-c', SCRIPT, ...command], { encoding: 'utf8', env });
    return { ...JSON.parse(stdout), stderr };
  };
  const { status, wall, cpu, said, stderr } = run(['command', 'true', '--all', '--yes', '--json']);
  const id = status === 0 ? String(JSON.parse(said).order) : '';
  const shown = run(['orders', 'show', id, '--json']);
  const queued = (shown.said.match(/"queued"/g) ?? []).length;
  if (status !== 0 || queued < HOSTS) {
    throw new Error(`cannot measure: ${queued} of ${HOSTS} hosts have the order ${id}: ${stderr}${shown.stderr}`);
  }
  return { wall, cpu };
}
