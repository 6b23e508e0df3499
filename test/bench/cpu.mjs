import { spawnSync } from 'node:child_process';
import { median } from './table.mjs';

/** What the interpreter's own start has waited for, as a wrapper around it does, is not the command's. */
const SCRIPT = `import json,resource,subprocess,sys
def cpu():
  u=resource.getrusage(resource.RUSAGE_CHILDREN)
  return u.ru_utime+u.ru_stime
before=cpu()
status=subprocess.call(sys.argv[1:],stdout=subprocess.DEVNULL)
print(json.dumps({"status":status,"cpu":cpu()-before,"memory":resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss/1024}))`;

/** CPU seconds and MB: medians over the runs; children's CPU time counts, memory is the largest single process. */
export function measure(command, times, before) {
  const runs = Array.from({ length: times }, () => {
    if (before !== undefined) must(before);
    const said = JSON.parse(must(['python3', '-c', SCRIPT, ...command]).stdout);
    if (said.status !== 0) throw new Error(`cannot measure: ${command.join(' ')} ended with ${said.status}`);
    return said;
  });
  return { cpu: median(runs.map(({ cpu }) => cpu)), memory: median(runs.map(({ memory }) => memory)) };
}

export function must([program, ...args]) {
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const ran = spawnSync(program, args, { encoding: 'utf8', env, maxBuffer: 64 * 1024 * 1024 });
  if (ran.status !== 0)
    throw new Error(`cannot measure: ${program} ${args.join(' ')} ended with ${ran.status}: ${ran.stderr}`);
  return ran;
}
