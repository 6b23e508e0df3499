import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../install.mjs';
import { startRecorder } from './recorder.mjs';

/** How long the server may take to be ready. */
const READY_WITHIN = 15_000;

/**
 * @param {{keep: boolean, signal: AbortSignal, progress: (text: string) => void}} options `signal` ends it: what it made is removed
 * @returns what the report shows and `--json` prints
 */
export async function runDemo({ keep, signal, progress }) {
  const started = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'penguindome-demo-'));
  const steps = { folder, dome: join(folder, 'server'), agent: join(folder, 'agent'), signal, progress };
  let recorder;
  let done = false;
  try {
    const ports = { port: await freePort(), localPort: await freePort() };
    await setUp(steps, ports);
    await startServer(steps, ports);
    recorder = await startRecorder({ folder: steps.dome, serverPort: ports.port });
    await enroll(steps, recorder);
    const found = await reportAndAudit(steps, recorder);
    done = true;
    return {
      ...found,
      seconds: Number(((performance.now() - started) / 1000).toFixed(1)),
      ...(keep && { kept: { folder, url: `https://localhost:${ports.port}`, pid: steps.server.pid } }),
    };
  } finally {
    await recorder?.stop();
    if (keep && done) {
      await rm(join(steps.agent, 'etc/agent.d/50-recorder.yml'));
      steps.server.unref();
    } else {
      await stopServer(steps.server);
      await rm(folder, { recursive: true, force: true });
    }
  }
}

async function setUp({ dome, signal, progress }, { port, localPort }) {
  progress('setting up a server: settings, CA, certificate, keys, embedded store …');
  const names = [
    '--port',
    port,
    '--local-port',
    localPort,
    '--public-url',
    `https://localhost:${port}`,
    '--host-name',
    'localhost',
  ];
  await run(signal, 'penguindome', ['setup', '--yes', '--dir', dome, ...names.map(String)]);
}

/** Keeps the process in `steps.server` from its first moment on: somebody has to end it, whatever happens. */
async function startServer(steps, { localPort }) {
  const { dome, signal, progress } = steps;
  progress('starting the server …');
  const log = await open(join(dome, 'server.log'), 'a', 0o600);
  const server = spawn(process.execPath, [program('penguindome-server'), '--config', join(dome, 'server.yml')], {
    detached: true,
    env: environment(),
    stdio: ['ignore', log.fd, log.fd],
  });
  steps.server = server;
  await log.close();
  const until = Date.now() + READY_WITHIN;
  while (!(await isReady(localPort))) {
    signal.throwIfAborted();
    if (server.exitCode !== null || Date.now() > until) {
      await stopServer(server);
      throw new Error(`cannot start the server:\n${await readFile(join(dome, 'server.log'), 'utf8')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function isReady(localPort) {
  return fetch(`http://127.0.0.1:${localPort}/readyz`)
    .then((answer) => answer.ok)
    .catch(() => false);
}

async function stopServer(server) {
  if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const gone = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGTERM');
  await gone;
}

async function enroll({ dome, agent, signal, progress }, recorder) {
  progress('enrolling this machine with a one-use token …');
  const token = await penguindome(signal, dome, ['enrollment', 'token', '--approve', '--uses', '1', '--expires', '1h']);
  await run(signal, 'penguindome-agent', ['--state', agent, 'enroll'], token);
  await mkdir(join(agent, 'etc/agent.d'), { recursive: true });
  await writeFile(join(agent, 'etc/agent.d/50-recorder.yml'), `url: https://localhost:${recorder.port}\n`);
}

async function reportAndAudit({ dome, agent, signal, progress }, recorder) {
  const collectAndSubmit = async () => {
    await run(signal, 'penguindome-agent', ['--state', agent, 'collect']);
    await run(signal, 'penguindome-agent', ['--state', agent, 'submit']);
    return recorder.take();
  };
  progress('collecting, and submitting a first report …');
  const first = await collectAndSubmit();
  progress('collecting and submitting again: only what changed travels …');
  const second = await collectAndSubmit();
  progress('replaying the first request as an eavesdropper would …');
  const answer = await recorder.replay(submitRequest(first));
  progress('auditing …');
  const { host_id, hostname } = JSON.parse(
    await run(signal, 'penguindome-agent', ['--state', agent, 'status', '--json']),
  );
  const issues = JSON.parse(await penguindome(signal, dome, ['issues', 'audit', '--json']));
  const document = JSON.parse(await penguindome(signal, dome, ['hosts', 'show', hostname, '--json']));
  return {
    host: { id: host_id, hostname },
    collectors: collectors(document),
    results: document.checks.results,
    checks: counts(document.checks.results),
    issues: issues.issues ?? issues,
    bytes: { first: first.length, second: second.length },
    refused: { replay: answer.status === 409 && JSON.parse(answer.body).error === 'replayed' },
  };
}

/** The one submit out of recorded requests. */
function submitRequest(bytes) {
  for (let rest = bytes; rest.length > 0; ) {
    const head = rest.indexOf('\r\n\r\n') + 4;
    const text = rest.subarray(0, head).toString('latin1');
    const length = Number(/^content-length: (\d+)/im.exec(text)?.[1] ?? 0);
    if (text.startsWith('POST /penguindome/v2/submit ')) return rest.subarray(0, head + length);
    rest = rest.subarray(head + length);
  }
  throw new Error('cannot replay: the agent sent no report');
}

function collectors({ plugins }) {
  return Object.entries(plugins)
    .filter(([name]) => name !== 'submitted_at')
    .map(([name, result]) => ({ name, outcome: outcomeOf(result), result }));
}

function outcomeOf(result) {
  if (result === 'unknown') return 'unknown';
  return result !== null && typeof result === 'object' && 'returncode' in result ? 'failed' : 'collected';
}

function counts(results) {
  const count = { pass: 0, fail: 0, unknown: 0 };
  for (const { answer } of Object.values(results)) count[answer] += 1;
  return count;
}

const program = (name) => join(root, 'build', name);

/** Ours alone: somebody's settings for PenguinDome or Node must not change what the demo shows. */
function environment() {
  const { NODE_EXTRA_CA_CERTS: _, PENGUINDOME_CONFIG: __, ...environment } = process.env;
  return environment;
}

const penguindome = (signal, dome, args) => run(signal, 'penguindome', ['--config', join(dome, 'server.yml'), ...args]);

/** @returns what it printed; rejects with what it complained about, or when the signal ends it */
async function run(signal, name, args, input = '') {
  const child = spawn(process.execPath, [program(name), ...args], { env: environment(), signal });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0)
    throw new Error(`cannot go on: \`${name} ${args.join(' ')}\` ended with ${code}:\n${stderr || stdout}`);
  return stdout;
}

async function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
