import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { type Gpg, gpgHome } from './gpg.ts';
import { httpRequest } from './http.ts';
import { scratchFolder } from './scratch.ts';
import { FORM } from './v1-client.ts';

const run = promisify(execFile);
const FIXTURES = 'test/fixtures/penguindome-v1';

/** What `update` answers (wire-v1). */
export interface UpdateAnswer {
  status: 'current' | 'out-of-date';
  current_release?: number;
  update?: string;
  patches?: { id: string; files: { path: string; mode: number; content?: string }[] }[];
}

export interface OriginalClient {
  hostname: string;
  /** the client's folder, laid out as a release's */
  dir: string;
  gpg: Gpg;
  /** the number of the release that is installed; 0: none */
  release(): Promise<number>;
  ask(): Promise<UpdateAnswer>;
  /** Asks, and takes what comes. @returns ids of the patches that were applied */
  update(): Promise<string[]>;
  take(answer: UpdateAnswer): Promise<string[]>;
  /** Runs the commands that are there, submits what came of them, and removes those that succeeded. */
  runCommands(execute?: (program: string) => Promise<CommandResult>): Promise<Record<string, CommandResult>>;
  submit(message: object): Promise<{ status: number; text: string }>;
  /** below the client's folder */
  read(path: string): Promise<string>;
  exists(path: string): Promise<boolean>;
}

export type CommandResult = { output: string } | { stdout: string; stderr: string; returncode: number };

/**
 * What the original client does, by what is known of it, with the real gpg: its requests are signed by the fleet's key, and nothing
 * is written or run that the server's key has not signed.
 * @param options.now what its clock shows at first; each request comes a second after the one before
 */
export async function originalClient(
  t: ExecutionContext,
  { url, hostname, now }: { url: string; hostname: string; now: Date },
): Promise<OriginalClient> {
  const dir = await scratchFolder(t);
  const gpg = await gpgHome(t);
  let seconds = Math.floor(now.getTime() / 1000);
  const post = (endpoint: string, message: object) => send({ gpg, url, seconds: seconds++ }, endpoint, message);
  await gpg(['--import', `${FIXTURES}/client-secret.asc`]);
  await gpg(['--import', `${FIXTURES}/server-public.asc`]);
  const client: OriginalClient = {
    hostname,
    dir,
    gpg,
    release: async () => Number((await readFile(join(dir, 'client/release.txt'), 'utf8').catch(() => '0')).trim()),
    async ask() {
      const { status, text } = await post('update', { old_release: await client.release(), hostname });
      if (status !== 200) throw new Error(`update: ${status} ${text}`);
      return JSON.parse(text);
    },
    update: async () => client.take(await client.ask()),
    async take({ status, current_release, update, patches = [] }) {
      if (status === 'out-of-date') await takeRelease(t, client, current_release ?? 0, update ?? '');
      for (const patch of patches) {
        await applyPatch(client, patch.files);
        const told = await post('acknowledge_patch', { hostname, id: patch.id });
        if (told.text !== 'ok') throw new Error(`acknowledge_patch: ${told.status} ${told.text}`);
      }
      return patches.map(({ id }) => id);
    },
    async runCommands(execute = executePlainly) {
      const commands: Record<string, CommandResult> = {};
      for (const name of await readdir(join(dir, 'client/commands')).catch(() => [])) {
        await verify(client, `client/commands/${name}`);
        commands[name] = await execute(join(dir, 'client/commands', name));
      }
      if (Object.keys(commands).length === 0) return commands;
      const told = await client.submit({ hostname, collected_at: new Date().toISOString(), commands });
      if (told.text !== 'ok') throw new Error(`submit: ${told.status} ${told.text}`);
      for (const [name, result] of Object.entries(commands)) {
        if ('output' in result) await rm(join(dir, 'client/commands', name));
      }
      return commands;
    },
    submit: (message) => post('submit', message),
    read: (path) => readFile(join(dir, path), 'utf8'),
    exists: (path) =>
      stat(join(dir, path)).then(
        () => true,
        () => false,
      ),
  };
  return client;
}

async function send(
  { gpg, url, seconds }: { gpg: Gpg; url: string; seconds: number },
  endpoint: string,
  message: object,
): Promise<{ status: number; text: string }> {
  const data = JSON.stringify(message);
  const time = new Date(seconds * 1000).toISOString().replace(/[-:]|\..*/g, '');
  const signed = ['--faked-system-time', time, '--armor', '--detach-sign', '--local-user', 'penguindome-client'];
  const body = new URLSearchParams({ data, signature: await gpg(signed, data) }).toString();
  const answer = await httpRequest(`${url}/penguindome/v1/${endpoint}`, { method: 'POST', headers: FORM, body });
  return { status: answer.status, text: answer.body.toString() };
}

/** A signed message is opened, all in it is verified apart from what is installed, and then takes its place as a whole. */
async function takeRelease(t: ExecutionContext, client: OriginalClient, number: number, update: string): Promise<void> {
  const folder = await scratchFolder(t);
  const [message, tar, tree] = [join(folder, 'update.asc'), join(folder, 'update.tar'), join(folder, 'tree')];
  await writeFile(message, update);
  const said = await client.gpg([...TRUSTING, '--status-fd', '1', '--output', tar, '--decrypt', message]);
  if (!/^\[GNUPG:\] VALIDSIG /m.test(said)) throw new Error(`the release is not signed: ${said}`);
  await mkdir(tree);
  await run('tar', ['-C', tree, '-xf', tar]);
  const unpacked: OriginalClient = { ...client, dir: tree };
  const paths = await filesBelow(tree);
  for (const path of paths.filter((each) => !each.startsWith('signatures/'))) await verify(unpacked, path);
  if ((await readFile(join(tree, 'client/release.txt'), 'utf8')).trim() !== String(number)) {
    throw new Error('the release is another one than was told');
  }
  for (const part of ['client', 'penguindome', 'signatures']) {
    await rm(join(client.dir, part), { recursive: true, force: true });
    await cp(join(tree, part), join(client.dir, part), { recursive: true });
  }
}

async function applyPatch(client: OriginalClient, files: { path: string; mode: number; content?: string }[]) {
  for (const { path, mode, content } of files) {
    if (isAbsolute(path) || path.split('/').includes('..')) throw new Error(`the path ${path} leads out of the folder`);
    const target = join(client.dir, path);
    if (mode === 0) {
      if (content !== undefined) throw new Error(`${path} is removed, and has content`);
      await rm(target, { force: true });
      continue;
    }
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, Buffer.from(content ?? '', 'base64'));
    await chmod(target, mode);
  }
  const kept = files.filter(({ path, mode }) => mode !== 0 && !path.startsWith('signatures/'));
  for (const { path } of kept) await verify(client, path);
}

/** The client trusts each key of its keyring. */
const TRUSTING = ['--trust-model', 'always'];

async function verify({ gpg, dir }: OriginalClient, path: string): Promise<void> {
  const said = await gpg([
    ...TRUSTING,
    '--status-fd',
    '1',
    '--verify',
    join(dir, 'signatures', `${path}.sig`),
    join(dir, path),
  ]);
  if (!/^\[GNUPG:\] GOODSIG \S+ penguindome-server$/m.test(said))
    throw new Error(`${path} is not the server's: ${said}`);
}

async function executePlainly(program: string): Promise<CommandResult> {
  return run(program).then(
    ({ stdout }) => ({ output: stdout }),
    (error: { stdout?: string; stderr?: string; code?: number }) => ({
      stdout: error.stdout ?? '',
      stderr: error.stderr ?? '',
      returncode: error.code ?? 1,
    }),
  );
}

async function filesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(dir.length + 1));
}
