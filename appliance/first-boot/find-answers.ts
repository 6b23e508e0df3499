import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { type Answers, parseAnswers } from './answers.ts';
import { readNoCloud } from './read-nocloud.ts';

const run = promisify(execFile);

const FILE = 'penguindome.yml';
/** Labels of file systems that are looked at, in this order; the image's own boot partition last. */
const LABELS = ['PENGUINDOME', 'penguindome', 'CIDATA', 'cidata', 'PDOMEBOOT'];

/** What some disk says. @returns undefined where none says anything @throws where what it says cannot be used */
export async function findAnswers(tell: (line: string) => void): Promise<Answers | undefined> {
  // A disk may be found after this program has started.
  await run('udevadm', ['settle', '--timeout=10']).catch(() => undefined);
  for (const label of LABELS) {
    const device = await deviceOf(label);
    if (device === undefined) continue;
    const found = await withMounted(device, (folder) => readFolder(folder, label, tell));
    if (found !== undefined) return found;
  }
  return undefined;
}

async function deviceOf(label: string): Promise<string | undefined> {
  const found = await run('blkid', ['-L', label]).catch(() => undefined);
  return found?.stdout.trim();
}

async function withMounted<T>(device: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp('/run/penguindome-first-boot-');
  await run('mount', ['-o', 'ro,nodev,nosuid,noexec', device, folder]);
  try {
    return await work(folder);
  } finally {
    await run('umount', [folder]);
    await rmdir(folder);
  }
}

async function readFolder(folder: string, label: string, tell: (line: string) => void): Promise<Answers | undefined> {
  const there = (name: string) => readFile(join(folder, name), 'utf8').catch(() => undefined);
  const own = await there(FILE);
  if (own !== undefined) {
    tell(`Settings: ${FILE} on the disk ${label}`);
    return parseAnswers(own, FILE);
  }
  const userData = await there('user-data');
  if (userData === undefined) return undefined;
  tell(`Settings: user-data on the disk ${label}`);
  const files = { userData, metaData: await there('meta-data'), networkConfig: await there('network-config') };
  const { answers, ignored } = readNoCloud(files);
  if (ignored.length > 0) tell(`In user-data, this has no use: ${ignored.join(', ')}`);
  return parseAnswers(stringify(answers), 'user-data');
}
