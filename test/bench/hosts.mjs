import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { load, ourServer, prepare, setUp, usageOf, whileServing } from './site.mjs';
import { row } from './table.mjs';

const HOSTS = 10_000;
/** Of a host whose minute comes once a minute. */
const TICKS_A_DAY = 1440;
/** Hosts that live through a whole day as fast as it goes. */
const HOSTS_OF_A_DAY = 48;

/** A fleet that has nothing to tell: what it costs the server, and its disk. */
export async function measureHosts({ mongods, ...options }) {
  const rows = {};
  for (const store of mongods === undefined ? ['embedded'] : ['embedded', 'mongo']) {
    const fleet = `10,000 hosts at 60 s, ${store}`;
    if (options.wants(fleet)) Object.assign(rows, await measureFleet(fleet, { ...options, store, mongo: mongods }));
    const day = `a quiet host's day, ${store}`;
    if (options.wants(day) && store === 'embedded') Object.assign(rows, await measureDay(day, { ...options, store }));
  }
  return rows;
}

/** Each tick is a resumed connection of its own, and each host goes on from its last answer and ticket. */
async function measureFleet(name, options) {
  const { programs, quick, progress } = options;
  const minutes = quick ? 0.5 : 5;
  progress(`${name}, ${minutes} minutes …`);
  return withSite(options, HOSTS, async (site, hosts, pid) => {
    const before = await usageOf(pid);
    const started = performance.now();
    const { port, ca, authority } = site;
    const plan = { hosts, port, ca, authority, connections: 'resumed', ticks: minutes, rate: HOSTS / 60 };
    const figures = await load(`${programs}/simulate.mjs`, plan);
    const after = await usageOf(pid);
    if (figures.resumed < figures.count) throw new Error(`cannot measure: only ${figures.resumed} connections resumed`);
    const share = (after.cpu - before.cpu) / ((performance.now() - started) / 1000);
    return {
      [`${name}: all server processes`]: row({ value: share * 100, unit: '% of a core', target: { at_most: 60 } }),
      [`${name}: their memory`]: row({ value: after.pss, unit: 'MB', target: { at_most: 400 } }),
      [`${name}: their memory, what they share counted for each`]: row({ value: after.rss, unit: 'MB' }),
      [`${name}: p99`]: row({ value: figures.p99, unit: 'ms', target: { at_most: 50 } }),
    };
  });
}

/** What 1,440 check-ins of each host leave on the disk, when the server has ended. */
async function measureDay(name, options) {
  const { programs, quick, progress } = options;
  progress(`${name} …`);
  const ticks = quick ? 144 : TICKS_A_DAY;
  const folder = join(options.scratch, 'site');
  try {
    const site = await setUp(options, folder);
    const hosts = prepare(options, site, 'hosts', HOSTS_OF_A_DAY);
    const { port, ca, authority } = site;
    // Opened and closed once, so that both sizes are of a store at rest.
    await whileServing(site, ourServer(site), {}, async () => {});
    const before = sizeOf(join(folder, 'store'));
    await whileServing(site, ourServer(site), {}, () =>
      load(`${programs}/simulate.mjs`, { hosts, port, ca, authority, connections: 'kept', ticks }),
    );
    const grown = (sizeOf(join(folder, 'store')) - before) / HOSTS_OF_A_DAY;
    const value = (grown * (TICKS_A_DAY / ticks)) / 1024;
    return { [`${name}: more on the store's disk`]: row({ value, unit: 'KB', target: { at_most: 100 } }) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function withSite(options, count, work) {
  const folder = join(options.scratch, 'site');
  try {
    const site = await setUp(options, folder);
    const hosts = prepare(options, site, 'hosts', count);
    return await whileServing(site, ourServer(site), {}, (pid) => work(site, hosts, pid));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const sizeOf = (folder) => Number(execFileSync('du', ['-s', '-B1', folder], { encoding: 'utf8' }).split('\t')[0]);
