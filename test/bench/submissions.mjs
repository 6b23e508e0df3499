import { spawnSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../packaging/install.mjs';
import { load, ourServer, prepare, setUp, whileServing } from './site.mjs';
import { median, row } from './table.mjs';

/** Beside what each kind is put, and what we want of it; `count` is what is played as fast as it goes, once the server is warm. */
const KINDS = {
  'v1 submissions (6 KB)': {
    prepared: 'v1',
    count: 3000,
    beside: ['gpg', 'bare'],
    targets: { mongo: { value: { at_least: 600 }, gpg: { at_least: 3, of: 'ratio' } } },
  },
  'v2 changed reports (6 KB)': {
    prepared: 'v2-full',
    count: 4000,
    beside: ['gpg', 'bare'],
    targets: { mongo: { value: { at_least: 500 } }, embedded: { value: { at_least: 1000 } } },
  },
  'v2 unchanged check-ins': {
    prepared: 'v2-quiet',
    count: 8000,
    beside: ['signature', 'signature-all'],
    targets: {
      mongo: { signature: { at_least: 0.35, of: 'ratio' } },
      embedded: { signature: { at_least: 0.7, of: 'ratio' } },
    },
  },
  'v2 check-ins, each on a new resumed connection': {
    prepared: 'v2-quiet-close',
    connections: 'resumed',
    count: 4000,
    beside: ['signature'],
    targets: { mongo: { value: { at_least: 450 } }, embedded: { value: { at_least: 450 } } },
  },
};

const REFERENCES = {
  gpg: 'one gpg process per request',
  bare: 'bare koa https, one process',
  signature: 'bare koa https that checks a signature, one process',
  'signature-all': 'the same on all cores',
};

/** Submissions per second, by kind and store; and how long the slowest hundredth waits at half of that. */
export async function measureSubmissions({ mongods, ...options }) {
  const rows = {};
  const gpgHome = await makeGpgHome(options.scratch);
  try {
    for (const [kind, plan] of Object.entries(KINDS)) {
      for (const store of mongods === undefined ? ['embedded'] : ['embedded', 'mongo']) {
        const name = `${kind}, ${store}`;
        if (!options.wants(name)) continue;
        options.progress(`${name} …`);
        const runs = [];
        for (let round = 0; round < (options.quick ? 1 : 3); round += 1) {
          runs.push(await measureOnce({ ...options, ...plan, store, gpgHome, mongo: mongods }));
        }
        Object.assign(rows, rowsOf(name, runs, plan, store));
      }
    }
  } finally {
    spawnSync('gpgconf', ['--homedir', gpgHome, '--kill', 'all']);
  }
  return rows;
}

function rowsOf(name, runs, { beside, targets }, store) {
  const figure = (side) => median(runs.map((run) => run[side]));
  const target = targets[store] ?? {};
  const rows = {};
  beside.forEach((side, index) => {
    const wanted = target[side] ?? (index === 0 ? target.value : undefined);
    rows[`${name}: beside ${side}`] = row({
      value: figure('ours'),
      unit: '/s',
      reference: { name: REFERENCES[side], value: figure(side) },
      target: wanted,
    });
  });
  if (target.value !== undefined && target[beside[0]] !== undefined) {
    rows[name] = row({ value: figure('ours'), unit: '/s', target: target.value });
  }
  rows[`${name}: p99 at half of that`] = row({ value: figure('p99'), unit: 'ms', target: { at_most: 50 } });
  return rows;
}

/** All servers one after the other, in this same round: their ratios are fair though the machine's speed drifts. */
async function measureOnce(setting) {
  const { quick, programs, gpgHome, beside, prepared } = setting;
  const [warm, count] = quick ? [100, 600] : [setting.count, setting.count];
  const folder = join(setting.scratch, 'site');
  const figures = {};
  const serve = (site, command, work) => whileServing(site, command, { PENGUINDOME_BENCH_GPG_HOME: gpgHome }, work);
  const player =
    ({ port, ca }, requests) =>
    (options) =>
      load(`${programs}/load.mjs`, {
        ...{ requests, port, ca, connections: setting.connections ?? 'kept' },
        ...options,
      });
  try {
    const site = await setUp({ ...setting, v1: prepared === 'v1' }, folder);
    const play = player(site, prepare(setting, site, prepared, warm + count + count / 2));
    await serve(site, ourServer(site), async () => {
      await play({ from: 0, count: warm });
      figures.ours = (await play({ from: warm, count })).perSecond;
      figures.p99 = (await play({ from: warm + count, count: count / 2, rate: figures.ours / 2 })).p99;
    });
    for (const side of beside.filter((each) => each !== 'gpg')) {
      await serve(site, ceiling(programs, site, side), async () => {
        await play({ from: 0, count: warm });
        figures[side] = (await play({ from: warm, count })).perSecond;
      });
    }
    await rm(folder, { recursive: true, force: true });
    if (beside.includes('gpg')) figures.gpg = await measureGpg(setting, folder, { serve, player });
    return figures;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureGpg({ programs, quick, prepared, ...setting }, folder, { serve, player }) {
  const [warm, count] = quick ? [20, 100] : [100, 300];
  const site = await setUp({ ...setting, v1: prepared === 'v1' }, folder);
  const command = [process.execPath, `${programs}/server-gpg.mjs`, '--config', site.config];
  const play = player(site, prepare({ programs }, site, prepared, warm + count));
  return serve(site, command, async () => {
    await play({ from: 0, count: warm });
    return (await play({ from: warm, count })).perSecond;
  });
}

function ceiling(programs, { folder, port }, side) {
  return [
    process.execPath,
    `${programs}/ceiling.mjs`,
    `${folder}/state/tls/server.crt`,
    `${folder}/state/tls/server.key`,
    port,
    side,
  ];
}

/** A keyring of its own with the original client's public key (RSA-3072), and one message that it signed. */
async function makeGpgHome(scratch) {
  const home = join(scratch, 'gpg');
  await mkdir(home, { mode: 0o700 });
  const gpg = (args, input) =>
    spawnSync('gpg', ['--homedir', home, '--batch', '--quiet', ...args], { input, cwd: root });
  gpg(['--import', 'test/fixtures/penguindome-v1/client-secret.asc']);
  await writeFile(`${home}/message`, 'x'.repeat(6000));
  const signed = gpg([
    '--trust-model',
    'always',
    '--armor',
    '--detach-sign',
    '--output',
    `${home}/message.asc`,
    `${home}/message`,
  ]);
  if (signed.status !== 0) throw new Error(`cannot make a signature with gpg: ${signed.stderr}`);
  return home;
}
