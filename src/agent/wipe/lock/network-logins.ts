import { mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { seconds } from '../../../core/duration.ts';
import { hasCode } from '../../has-code.ts';
import { unlinkIfThere, writeAtomically } from '../../write-atomically.ts';
import { type RunTool, whyFailed } from '../tools.ts';

const UNITS = '/etc/systemd/system';
const NAME = '99-penguindome-lock.conf';
/** A condition that never holds. */
const DROP_IN = '# Of PenguinDome: penguindome unlock removes it.\n[Unit]\nConditionPathExists=!/\n';
const SSHD = '/etc/ssh/sshd_config.d';
const SSHD_FILE = join(SSHD, '00-penguindome-lock.conf');
const SSHD_TEXT = '# Of PenguinDome: penguindome unlock removes it.\nDenyUsers *\n';
const LIMIT = { timeout: seconds(30) };

type Unit = { name: string; active: boolean };

/** By drop-ins, which last, and do not change what is an administrator's. @returns what could not be done */
export async function closeNetworkLogins(units: readonly Unit[], run: RunTool): Promise<string[]> {
  const not: string[] = [];
  for (const { name } of units) {
    const folder = join(UNITS, `${name}.d`);
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    await writeAtomically(join(folder, NAME), DROP_IN, 0o644);
  }
  // However else sshd is started.
  if (isFolder(SSHD)) await writeAtomically(SSHD_FILE, SSHD_TEXT, 0o644);
  if (units.length === 0) return not;
  await run('systemctl', ['daemon-reload'], LIMIT);
  // Of a template everything that was made of it.
  const names = units.map(({ name }) => name.replace('@.', '@*.'));
  const stopped = await run('systemctl', ['stop', '--', ...names], LIMIT);
  if (stopped.code !== 0)
    not.push(`some of ${names.join(', ')} could not be stopped: ${whyFailed('systemctl', stopped)}`);
  return not;
}

/** Starts what was active. @returns what could not be done */
export async function openNetworkLogins(units: readonly Unit[], run: RunTool): Promise<string[]> {
  for (const { name } of units) {
    const folder = join(UNITS, `${name}.d`);
    await unlinkIfThere(join(folder, NAME)).catch((error) => {
      if (!hasCode(error, 'ENOTDIR')) throw error;
    });
    removeIfEmpty(folder);
  }
  await unlinkIfThere(SSHD_FILE).catch((error) => {
    if (!hasCode(error, 'ENOTDIR')) throw error;
  });
  if (units.length === 0) return [];
  await run('systemctl', ['daemon-reload'], LIMIT);
  const active = units.filter((unit) => unit.active && !unit.name.includes('@.')).map(({ name }) => name);
  if (active.length === 0) return [];
  const started = await run('systemctl', ['start', '--', ...active], LIMIT);
  return started.code === 0 ? [] : [`${active.join(', ')} could not be started: ${whyFailed('systemctl', started)}`];
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function removeIfEmpty(folder: string): void {
  try {
    if (readdirSync(folder).length === 0) rmdirSync(folder);
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
}
