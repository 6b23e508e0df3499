import { readFile, readlink } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { Operator } from '../store/operator-log/entry.ts';

/** (uid_t) -1: nobody logged in, as in a service (proc_pid_loginuid(5)) */
const NO_LOGIN = 0xffffffff;
/** sudo, a shell, sshd … */
const MOST_ANCESTORS = 12;

/** Who runs this process. What comes from the environment is told as such: a login that has root can set it. */
export async function whoOperates(environment: NodeJS.ProcessEnv): Promise<Operator> {
  const uid = process.geteuid?.() ?? -1;
  const users = await readUsers();
  const login = await readLogin();
  const terminal = await findTerminal();
  const address = (environment['SSH_CONNECTION'] ?? (await sshOfAncestors()))?.split(' ')[0];
  const sudo = environment['SUDO_USER'] ?? environment['DOAS_USER'];
  const user = ownName() ?? users.get(uid);
  const loginUser = login === undefined ? undefined : users.get(login);
  return {
    uid,
    ...(user === undefined ? {} : { user }),
    ...(login === undefined ? {} : { login: { uid: login, ...(loginUser === undefined ? {} : { user: loginUser }) } }),
    ...(sudo === undefined || sudo === '' ? {} : { sudo }),
    ...(terminal === undefined ? {} : { terminal }),
    ...(address === undefined || address === '' ? {} : { address }),
  };
}

/** Asks the system, which knows accounts of a directory too; there need be none. */
function ownName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

async function readLogin(): Promise<number | undefined> {
  const text = await readFile('/proc/self/loginuid', 'utf8').catch(() => '');
  const uid = Number(text);
  return text === '' || !Number.isSafeInteger(uid) || uid === NO_LOGIN ? undefined : uid;
}

/** Of accounts that are not in this file the number alone is told. */
async function readUsers(): Promise<Map<number, string>> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const lines = text.split('\n').map((line) => line.split(':'));
  return new Map(lines.flatMap(([name, , uid]) => (name && uid ? [[Number(uid), name] as const] : [])).reverse());
}

async function findTerminal(): Promise<string | undefined> {
  for (const fd of [0, 1, 2]) {
    const target = await readlink(`/proc/self/fd/${fd}`).catch(() => '');
    if (/^\/dev\/(pts\/\d+|tty\w+|console|hvc\d+)$/.test(target)) return target;
  }
  return undefined;
}

/** sudo takes the variable away; the login's own shell still has it, and root may read that. */
async function sshOfAncestors(): Promise<string | undefined> {
  let pid = process.ppid;
  for (let generation = 0; generation < MOST_ANCESTORS && pid > 1; generation++) {
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    const found = environment.split('\0').find((each) => each.startsWith('SSH_CONNECTION='));
    if (found !== undefined) return found.slice('SSH_CONNECTION='.length);
    const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
    pid = Number(/^PPid:\t(\d+)$/m.exec(status)?.[1] ?? 0);
  }
  return undefined;
}
