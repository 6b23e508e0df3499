import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import * as z from 'zod';
import { openEngine } from '../../src/store/embedded/engine.ts';
import { MIGRATIONS } from '../../src/store/embedded/schema.ts';
import { runAgent } from '../agent/support/program.ts';
import { freePort } from '../support/free-port.ts';
import { succeed } from '../support/penguindome.ts';
import { scratchFolder } from '../support/scratch.ts';
import { runServer } from '../support/server-program.ts';

const left = z.object({
  files: z.record(z.string(), z.object({ mode: z.string(), content: z.string() })),
  /** SQL */
  store: z.string(),
});
const shown = z.object({ plugins: z.object({ first: z.object({ number: z.number() }) }) });
const issues = z.array(z.object({ name: z.string(), opened_at: z.string() }));

/** The folders of server and host as a version of long ago left them, on ports of this test's own. */
async function unpack(t: ExecutionContext): Promise<{ site: string; agent: string; store: string }> {
  const folder = await scratchFolder(t);
  const { files, store } = left.parse(JSON.parse(await readFile('test/fixtures/upgrade/first-version.json', 'utf8')));
  const ports = new Map([
    ['28443', String(await freePort())],
    ['25123', String(await freePort())],
  ]);
  for (const [path, { mode, content }] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    const here = content.replace(/\b(28443|25123)\b/g, (port) => ports.get(port) ?? port);
    await writeFile(join(folder, path), here, { mode: Number.parseInt(mode, 8) });
  }
  const file = join(folder, 'site/store/penguindome.db');
  await mkdir(dirname(file));
  const engine = openEngine(file);
  engine.exec(store);
  engine.close();
  return { site: join(folder, 'site'), agent: join(folder, 'agent'), store: file };
}

test('a server and a host of the first version go on with this one: store, keys, state, and the report that waited', async (t) => {
  const { site, agent, store } = await unpack(t);
  const config = join(site, 'server.yml');
  const dome = (...args: string[]) => succeed(['--config', config, '--json', ...args]);
  const number = async () => shown.parse(JSON.parse(await dome('hosts', 'show', 'first-host'))).plugins.first.number;
  const open = async () => issues.parse(JSON.parse(await dome('issues', 'list')));

  // Its certificate is of 2026.
  await dome('ports', 'renew', '--within', '9999d');
  await runServer(t, { config });
  t.is(await number(), 2, 'what it reported to the first version');
  const engine = openEngine(store);
  t.is(engine.get('PRAGMA user_version')?.['user_version'], MIGRATIONS.length);
  engine.close();
  const before = (await open()).find(({ name }) => name === 'firewall-disabled');
  t.regex(before?.opened_at ?? '', /^2026-11-29T21:28/);

  const run = async (...args: string[]) => {
    const { status, out, err } = await runAgent(['--state', agent, ...args]);
    t.is(status, 0, `${args.join(' ')}: ${out}${err}`);
    return out;
  };
  await run('submit');
  t.is(await number(), 3, 'the report that waited');

  // Plugins of one's own run where the settings say so, since.
  await writeFile(join(agent, 'etc/agent.d/20-since.yml'), 'plugins:\n  local: true\n');
  await writeFile(join(agent, 'etc/plugins/first.sh'), '#!/bin/sh\necho "{\\"number\\": 4}"\n');
  await run('collect');
  await run('submit');
  t.is(await number(), 4);
  await dome('issues', 'audit');
  const after = (await open()).find(({ name }) => name === 'firewall-disabled');
  t.is(after?.opened_at, before?.opened_at, 'it is the same issue');
  t.regex(await run('status'), /All is well/);
});
