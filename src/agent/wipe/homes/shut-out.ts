import { closeSync, constants, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import type { Person } from '../people.ts';
import type { RunTool } from '../tools.ts';

/** pam_nologin(8): while it is there nobody but root gets in, whoever knows the accounts. In memory, so that a crash ends it. */
const NOLOGIN = '/run/nologin';
const TEXT = 'This machine is being wiped by its administrator.\n';

/** Keeps them from coming back while their things are removed. @returns what ends that */
export async function shutOut(persons: readonly Person[], run: RunTool): Promise<() => void> {
  const ours = makeNologin();
  // Day 1 of 1970: long over. Keys count no more than passwords then (shadow(5)).
  for (const { name } of persons) await run('usermod', ['--lock', '--expiredate', '1', '--', name]);
  return () => {
    if (ours) unlinkSync(NOLOGIN);
  };
}

/** @returns whether it is ours: also one that a run which was cut off has left */
function makeNologin(): boolean {
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const fd = openSync(NOLOGIN, flags, 0o644);
    writeFileSync(fd, TEXT);
    closeSync(fd);
    return true;
  } catch {
    return textOf(NOLOGIN) === TEXT;
  }
}

/** Nobody but root writes to /run. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
