import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine } from './machine.ts';

/** Where a machine sees the folder with the repositories. */
export const SHOWN = '/srv/packages';
/** What the server is called on the machine itself. */
export const HOST = 'dome.example.org';

/** The repository in this folder, shown at SHOWN, is all that the machine may install from, once /root/penguindome.sources is put in its place. */
export async function onlySource(machine: Machine, folder: string): Promise<void> {
  const sources = await readFile(join(folder, 'deb/penguindome.sources'), 'utf8');
  await machine.run([
    'sh',
    '-c',
    `rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*; echo 127.0.0.1 ${HOST} >>/etc/hosts`,
  ]);
  await machine.write('/root/penguindome.sources', sources.replace(/^URIs: .*$/m, `URIs: file:${SHOWN}/deb`));
}

/** Timers ask every three seconds whether something is due, as an administrator may have them do. */
export async function askOften(machine: Machine, ...names: string[]): Promise<void> {
  for (const name of names)
    await machine.write(
      `/etc/systemd/system/penguindome-${name}.timer.d/often.conf`,
      '[Timer]\nAccuracySec=1s\nOnCalendar=\nOnCalendar=*:*:0/3\nRandomizedDelaySec=0\n',
    );
}

/** As root types it, one line after the other. @returns all that the last one said; apt has it go through a terminal */
export async function type(machine: Machine, ...lines: string[]): Promise<string> {
  let said = '';
  for (const line of lines)
    said = await machine.run(['bash', '-c', `export DEBIAN_FRONTEND=noninteractive; exec 2>&1; ${line}`]);
  return said.replaceAll('\r\n', '\n');
}
