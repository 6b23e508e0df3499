import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { MongoClient } from 'mongodb';
import { freePort } from './free-port.ts';
import { scratchFolder } from './scratch.ts';

/** The program, where there is one (test/run.mjs). */
export const mongod = process.env['PENGUINDOME_TEST_MONGOD'];

/** A mongod of the test's own, to kill, stop or lock up. Killed after the test. */
export async function ownMongod(t: ExecutionContext, ...args: string[]) {
  return ownMongodIn(await scratchFolder(t), t, ...args);
}

/** The same with its data in the folder `db` of the given one. */
export async function ownMongodIn(folder: string, t: ExecutionContext, ...args: string[]) {
  const dbpath = join(folder, 'db');
  await mkdir(dbpath);
  const port = await freePort();
  let child: ChildProcess | undefined;
  const start = async () => {
    child = spawn(
      mongod ?? t.fail(),
      ['--dbpath', dbpath, '--bind_ip', '127.0.0.1', '--port', String(port), '--nounixsocket', '--quiet', ...args],
      { stdio: 'ignore' },
    );
  };
  const isAlive = () => child !== undefined && child.exitCode === null && child.signalCode === null;
  const kill = async () => {
    if (child === undefined || !isAlive()) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  t.teardown(kill);
  await start();
  const settings = { kind: 'mongo' as const, hosts: [`127.0.0.1:${port}`], database: 'penguindome', tls: false };
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`);
  // it waits for 30 s: a mongod that starts on a busy machine takes some
  await client.db('admin').command({ ping: 1 });
  await client.close();
  /** Other threads of it run on until the one that gets the signal has its turn. */
  const freeze = async () => {
    child?.kill('SIGSTOP');
    while (!/^State:\s+T/m.test(await readFile(`/proc/${child?.pid}/status`, 'utf8'))) await setTimeout(5);
  };
  return { settings, start, kill, isAlive, freeze, signal: (signal: NodeJS.Signals) => child?.kill(signal) };
}
