import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { scratchFolder } from '../support/scratch.ts';

const SETTINGS = `
public_url: https://dome.example:8443
ports: [{port: 8443, tls: false}]
store: {kind: embedded, file: x.db}
state: state
pki: pki
keys: keys
delivery: {journal: {}}
`;

test('alerts for the journal go to standard error where systemd has connected that to it, and nowhere else', async (t) => {
  const folder = await scratchFolder(t);
  const config = join(folder, 'server.yml');
  await writeFile(config, SETTINGS);
  // What systemd hands over is a socket to journald; to us it is a descriptor whose device and inode it names.
  const run = async (name: string, stream: (dev: number, ino: number) => string) => {
    const file = await open(join(folder, name), 'w');
    const { dev, ino } = await file.stat();
    const env = { ...process.env, JOURNAL_STREAM: stream(dev, ino) };
    const args = ['build/penguindome', '--config', config, 'delivery', 'test', 'journal'];
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', file.fd] });
    const [status] = await once(child, 'exit');
    await file.close();
    return { status, text: await readFile(join(folder, name), 'utf8') };
  };
  const connected = await run('journal', (dev, ino) => `${dev}:${ino}`);
  t.is(connected.status, 0, connected.text);
  t.regex(connected.text, /^<5>\{"event":"issue\.alerted",.*"test":true.*\}\n$/);
  const inherited = await run('other', (dev, ino) => `${dev}:${ino + 1}`);
  t.is(inherited.status, 1);
  t.notRegex(inherited.text, /issue\.alerted/);
});
