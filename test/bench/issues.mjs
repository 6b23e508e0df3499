import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../packaging/install.mjs';
import { must, setUp } from './site.mjs';
import { row } from './table.mjs';

const HOSTS = 5000;
const ISSUES = 6;

/** What the original needed with mongod on a 2-core machine, in seconds: for opening them, and for listing them. */
const ORIGINAL = { first: 200, list: 151 };

/** The operator's audit where nobody has judged the stored hosts yet, and then where all is open. */
export async function measureIssues({ mongods, ...options }) {
  const rows = {};
  for (const store of mongods === undefined ? ['embedded'] : ['embedded', 'mongo']) {
    const name = `30,000 issues on 5,000 hosts, ${store}`;
    if (options.wants(name)) Object.assign(rows, await measureStore(name, { ...options, store, mongo: mongods }));
  }
  return rows;
}

async function measureStore(name, options) {
  const { programs, progress, quick, scratch } = options;
  const hosts = quick ? HOSTS / 10 : HOSTS;
  const folder = join(scratch, 'site');
  progress(`${name} …`);
  try {
    const { config } = await setUp(options, folder);
    must([`${programs}/fleet.mjs`, config, hosts]);
    const share = hosts / HOSTS;
    const first = audit(config, hosts, []);
    const list = audit(config, hosts, ['--full']);
    const figures = { first, list };
    const titles = { first: 'the first audit, which opens them', list: 'an audit that lists them all' };
    const targets = { first: 4, list: 2 };
    return Object.fromEntries(
      Object.entries(figures).flatMap(([which, { wall, cpu, memory }]) => [
        [
          `${name}: ${titles[which]}`,
          row({
            value: wall / share,
            unit: 's',
            reference: { name: "the original's", value: ORIGINAL[which] },
            target: { at_most: targets[which] },
          }),
        ],
        [`${name}: ${titles[which]}, CPU time`, row({ value: cpu / share, unit: 's' })],
        [`${name}: ${titles[which]}, memory`, row({ value: memory, unit: 'MB', target: { at_most: 250 } })],
      ]),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Of the command itself, from its start to its end; the time of a mongod is in `wall` alone. */
const SCRIPT = `import json,resource,subprocess,sys,time
start=time.monotonic()
ran=subprocess.run(sys.argv[1:],stdout=subprocess.PIPE)
wall=time.monotonic()-start
u=resource.getrusage(resource.RUSAGE_CHILDREN)
last=[l for l in ran.stdout.decode().splitlines() if '; opened ' in l]
print(json.dumps({"status":ran.returncode,"wall":wall,"cpu":u.ru_utime+u.ru_stime,"memory":u.ru_maxrss/1024,"said":last}))`;

function audit(config, hosts, flags) {
  const command = [process.execPath, `${root}build/penguindome`, '--config', config, 'issues', 'audit', ...flags];
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const { stdout, stderr } = spawnSync('python3', ['-c', SCRIPT, ...command], { encoding: 'utf8', env });
  const figures = JSON.parse(stdout);
  const expected = flags.length === 0 ? `opened ${hosts * ISSUES}` : `${hosts * ISSUES} open on ${hosts} hosts`;
  if (figures.status !== 0 || !figures.said[0]?.includes(expected)) {
    throw new Error(`cannot measure: expected ${expected}, found ${figures.said[0]} ${stderr}`);
  }
  return figures;
}
