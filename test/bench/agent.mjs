import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../../packaging/install.mjs';
import { measure, must } from './cpu.mjs';
import { median, row } from './table.mjs';

/** Settings younger than two seconds at the last run start the agent once more; the demo has just written its own. */
const SETTINGS_REST = 3000;

/** CPU time and memory of what the agent does on this machine, and bytes of a quiet check-in (by the demo, which records them). */
export async function measureAgent({ quick, progress, wants }) {
  if (!wants('agent')) return {};
  progress('agent …');
  const demo = JSON.parse(must([process.execPath, `${root}packaging/demo.mjs`, '--json', '--keep']).stdout);
  const state = join(demo.kept.folder, 'agent');
  const agent = (...args) => [process.execPath, `${root}build/penguindome-agent`, '--state', state, ...args];
  const times = quick ? 2 : 5;
  const rows = {};
  try {
    const bare = measure([process.execPath, '-e', '0'], times);
    const tick = (...args) => [`${root}build/penguindome-tick`, '--state', state, ...args];
    const record = (name, figures, target) => {
      rows[`agent: ${name}, CPU`] = row({
        value: figures.cpu,
        unit: 's',
        reference: { name: 'an empty Node', value: bare.cpu },
        ...(target === undefined ? {} : { target }),
      });
      rows[`agent: ${name}, memory`] = row({
        value: figures.memory,
        unit: 'MB',
        reference: { name: 'an empty Node', value: bare.memory },
      });
    };
    await sleep(SETTINGS_REST);
    must(agent('run'));
    const quiet = measure(tick('run'), times);
    if (quiet.memory > bare.memory / 2) throw new Error('cannot measure a tick with nothing due: it started Node');
    record('tick with nothing due', quiet, { at_most: 0.1 });
    record('the same without the launcher', measure(agent('run'), times));
    record('collect', measure(agent('collect'), times));
    record('a check-in', measure(tick('submit'), times, agent('collect')), { at_most: 0.15 });
    Object.assign(rows, await measureOrder(agent, times));
    Object.assign(rows, await measureWay(demo, agent, times));
    rows['agent: a quiet check-in, whole HTTP request'] = row({
      value: demo.bytes.second,
      unit: 'bytes',
      reference: { name: 'first report', value: demo.bytes.first },
      target: { at_most: 1024 },
    });
  } finally {
    process.kill(demo.kept.pid, 'SIGTERM');
    spawnSync('rm', ['-rf', demo.kept.folder]);
  }
  return rows;
}

/** CPU time of `apply` with one order in the inbox, less that of `apply` with none: it is for another host, so that it is checked and not acted on. */
async function measureOrder(agent, times) {
  const folder = await mkdtemp(join(tmpdir(), 'penguindome-bench-order-'));
  try {
    const apply = [...agent('apply')];
    apply[apply.indexOf('--state') + 1] = folder;
    const put = await orderedHost(folder);
    // takes the order key
    must(apply);
    const none = measure(apply, times);
    const one = measure(apply, times, [process.execPath, put]);
    const receipts = must(apply.with(-1, 'receipts')).stdout;
    if (receipts.match(/it is for another host/g)?.length !== times)
      throw new Error('cannot measure: no order was judged');
    return {
      'agent: checking one order, CPU': row({ value: one.cpu - none.cpu, unit: 's', target: { at_most: 0.3 } }),
      'agent: apply with one order, CPU': row({ value: one.cpu, unit: 's' }),
    };
  } finally {
    spawnSync('rm', ['-rf', folder]);
  }
}

/** The server looks for orders every second, and says so in its answers from then on. */
const LOOK = 1500;

/** From `penguindome command` to its result on the server, without the wait for the agent's next minute. */
async function measureWay({ kept, host: { hostname } }, agent, times) {
  const program = [process.execPath, `${root}build/penguindome`, '--config', `${kept.folder}/server/server.yml`];
  const timed = (work) => {
    const start = performance.now();
    work();
    return (performance.now() - start) / 1000;
  };
  const give = [...program, 'command', 'true', '--host', hostname, '--json'];
  const go = ['submit', 'apply', 'submit'].map((verb) => agent(verb));
  const walls = [];
  const cpus = [];
  for (let time = 0; time < times; time++) {
    let order = '';
    const given = timed(() => {
      order = JSON.parse(must(give).stdout).order;
    });
    await sleep(LOOK);
    walls.push(given + timed(() => go.map(must)));
    const [target] = JSON.parse(must([...program, 'orders', 'show', order, '--json']).stdout).targets;
    if (target?.state !== 'done') throw new Error(`cannot measure: the order ${order} is ${target?.state}`);
    const ordered = measure(give, 1).cpu;
    await sleep(LOOK);
    cpus.push(go.reduce((sum, command) => sum + measure(command, 1).cpu, ordered));
  }
  const name = 'orders: from command to result, without the minute';
  return {
    [name]: row({ value: median(walls), unit: 's', target: { at_most: 1 } }),
    [`${name}, CPU of command and agent`]: row({ value: median(cpus), unit: 's' }),
  };
}

/** @returns a script that puts the next order of a hundred into the inbox */
async function orderedHost(folder) {
  const { createMessage, generateKey, sign } = await import('openpgp');
  const { privateKey, publicKey } = await generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: [{ name: 'bench' }],
    date: new Date(Date.now() - 86_400_000),
    subkeys: [],
    format: 'object',
  });
  const host_id = '018f0000-0000-7000-8000-000000000001';
  await mkdir(join(folder, 'etc/trust.d'), { recursive: true, mode: 0o755 });
  await mkdir(join(folder, 'inbox'), { mode: 0o700 });
  await writeFile(join(folder, 'etc/agent.yml'), 'hostname: bench\n');
  const order_key = publicKey.getFingerprint().toUpperCase();
  const trust = { url: 'https://localhost:1', answer_key: `${'A'.repeat(43)}=`, order_key, host_id };
  await writeFile(join(folder, 'etc/trust.d/server.json'), JSON.stringify(trust));
  await writeFile(join(folder, 'inbox/trust.json'), JSON.stringify({ first_order_key: publicKey.armor() }));
  for (let number = 0; number < 100; number++) {
    const id = `018f0000-0000-7000-8000-${String(number).padStart(12, '0')}`;
    const manifest = JSON.stringify({
      by: 'bench',
      expires_at: new Date(Date.now() + 86_400_000).toISOString(),
      files: [],
      id,
      kind: 'settings',
      made_at: new Date(Date.now() - 60_000).toISOString(),
      targets: [{ host_id: host_id.replace(/1$/, '2'), hostname: 'bench' }],
      type: 'penguindome-order-1',
      wanted: {},
      why: '',
    });
    const message = await createMessage({ binary: Buffer.from(manifest) });
    const signature = await sign({ message, signingKeys: privateKey, detached: true });
    await writeFile(join(folder, `${id}.next`), JSON.stringify({ manifest, signatures: [signature] }));
  }
  const script = join(folder, 'put.cjs');
  await writeFile(
    script,
    `const fs = require('node:fs'); const name = fs.readdirSync(__dirname).find((one) => one.endsWith('.next'));
     fs.renameSync(__dirname + '/' + name, __dirname + '/inbox/' + name.replace('next', 'json'));`,
  );
  return script;
}
