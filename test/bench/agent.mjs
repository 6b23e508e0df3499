import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../../packaging/install.mjs';
import { measure, must } from './cpu.mjs';
import { row } from './table.mjs';

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
