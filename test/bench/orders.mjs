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
    return { [name]: row({ value: median(figures), unit: 's', target: { at_most: 2 } }) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @returns seconds */
function order({ config }) {
  const program = [`${root}build/penguindome`, '--config', config];
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const run = (args) => spawnSync(process.execPath, [...program, ...args], { encoding: 'utf8', env });
  const start = performance.now();
  const { status, stdout, stderr } = run(['command', 'true', '--all', '--yes', '--json']);
  const seconds = (performance.now() - start) / 1000;
  const id = status === 0 ? String(JSON.parse(stdout).order) : '';
  const shown = run(['orders', 'show', id, '--json']);
  const queued = (shown.stdout.match(/"queued"/g) ?? []).length;
  if (status !== 0 || queued < HOSTS) {
    throw new Error(`cannot measure: ${queued} of ${HOSTS} hosts have the order ${id}: ${stderr}${shown.stderr}`);
  }
  return seconds;
}
