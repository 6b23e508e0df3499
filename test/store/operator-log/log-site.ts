import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Content } from '../../../src/store/operator-log/entry.ts';
import { readHead } from '../../../src/store/operator-log/head.ts';
import { type LogPlaces, openOperatorLog, operatorLogPlaces } from '../../../src/store/operator-log/open.ts';
import { type Verified, verifyLog } from '../../../src/store/operator-log/verify.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { realRandom, standingClock } from '../../support/world.ts';

export function began(command: string): Content {
  return {
    event: 'began',
    command,
    arguments: ['lap-17'],
    hosts: ['lap-17'],
    who: { uid: 0, user: 'root', sudo: 'änn' },
    version: '0.0.0',
    process: { pid: 1 },
  };
}

export interface LogSite extends LogPlaces {
  append(command: string): Promise<void>;
  lines(): Promise<string[]>;
  write(lines: string[]): Promise<void>;
  verify(): Promise<Verified>;
}

/** A log of so many entries. */
export async function logOf(t: ExecutionContext, count: number): Promise<LogSite> {
  const folder = await scratchFolder(t);
  const places = operatorLogPlaces({ state: join(folder, 'state'), pki: join(folder, 'pki') });
  await mkdir(join(folder, 'pki'));
  const log = openOperatorLog(places, { clock: standingClock(new Date('2026-11-23T12:00:00Z')), random: realRandom });
  const site: LogSite = {
    ...places,
    append: async (command) => void (await log.append(began(command))),
    lines: async () => (await readFile(places.path, 'utf8')).split('\n').slice(0, -1),
    write: (lines) => writeFile(places.path, lines.map((line) => `${line}\n`).join('')),
    verify: async () => verifyLog(await readFile(places.path, 'utf8'), await readHead(places.head)),
  };
  for (let number = 1; number <= count; number++) await site.append(`command-${number}`);
  return site;
}
