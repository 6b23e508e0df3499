import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../../packaging/install.mjs';
import { median, row } from './table.mjs';

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
    must(agent('run'));
    record('tick with nothing due', measure(tick('run'), times), { at_most: 0.1 });
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

/** Medians over the runs; children's CPU time counts, memory is the largest single process. */
function measure(command, times, before) {
  const runs = Array.from({ length: times }, () => {
    if (before !== undefined) must(before);
    const script =
      'import resource,subprocess,sys,json\nstatus=subprocess.call(sys.argv[1:],stdout=subprocess.DEVNULL)\nu=resource.getrusage(resource.RUSAGE_CHILDREN)\nprint(json.dumps({"status":status,"cpu":u.ru_utime+u.ru_stime,"memory":u.ru_maxrss/1024}))';
    const said = JSON.parse(must(['python3', '-c', script, ...command]).stdout);
    if (said.status !== 0) throw new Error(`cannot measure: ${command.join(' ')} ended with ${said.status}`);
    return said;
  });
  return { cpu: median(runs.map(({ cpu }) => cpu)), memory: median(runs.map(({ memory }) => memory)) };
}

function must([program, ...args]) {
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const ran = spawnSync(program, args, { encoding: 'utf8', env });
  if (ran.status !== 0)
    throw new Error(`cannot measure: ${program} ${args.join(' ')} ended with ${ran.status}: ${ran.stderr}`);
  return ran;
}
