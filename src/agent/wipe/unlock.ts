import { readFileSync } from 'node:fs';
import { messageOf } from '../../core/errors.ts';
import { type AccountState, parseAccountStates } from './lock/account-states.ts';
import { LONG_AGO } from './lock/lock.ts';
import { openNetworkLogins } from './lock/network-logins.ts';
import { removeNologin } from './lock/nologin.ts';
import { forgetRecord, type LockedAccount, readRecord } from './lock/record.ts';
import { type RunTool, systemTools, whyFailed } from './tools.ts';
import type { WipeDeps, WipeOutcome } from './wipe.ts';

export type UnlockDeps = Pick<WipeDeps, 'folder' | 'uid' | 'signal' | 'steps'>;

/**
 * Undoes a wipe by `lock`: everything is as it was before, but for what somebody has changed since. May be done again; what was before is
 * forgotten last.
 */
export async function unlock({ folder, uid, signal, steps: tell }: UnlockDeps): Promise<WipeOutcome> {
  const steps: string[] = [];
  const step = async (sentence: string) => {
    steps.push(sentence);
    await tell(sentence).catch(() => undefined);
  };
  const failed = (reason: string): WipeOutcome => ({ state: 'failed', reason, steps });
  if (uid !== 0) return failed('only root can unlock a machine');
  try {
    const run = systemTools(signal);
    const record = await readRecord(folder);
    if (record === undefined) {
      await step('nothing is locked here');
      return { state: 'done', steps };
    }
    const now = new Map(readStates().map((state) => [state.name, state]));
    const not: string[] = [];
    for (const account of record.accounts) {
      const why = await restore(account, now.get(account.name), run);
      if (why === undefined) await step(`the account ${account.name} is as it was`);
      else not.push(`the account ${account.name} is not as it was: ${why}`);
    }
    if (record.nologin) await removeNologin();
    for (const name of record.lingering) {
      const { code } = await run('loginctl', ['enable-linger', '--', name]);
      if (code !== 0 && now.has(name)) not.push(`the services of ${name} run in sessions only`);
    }
    not.push(...(await openNetworkLogins(record.units, run)));
    await step('people can log in again, over the network too where they could before');
    steps.push(...not.map((sentence) => `not done: ${sentence}`));
    if (not.length > 0) return failed(`not all could be undone: ${not[0]}`);
    await forgetRecord(folder);
    return { state: 'done', steps };
  } catch (error) {
    return failed(messageOf(error));
  }
}

function readStates(): AccountState[] {
  return parseAccountStates(readFileSync('/etc/passwd', 'utf8'), readFileSync('/etc/shadow', 'utf8'));
}

/** @returns why it could not be done */
async function restore(
  { name, uid, password, changed, expire, expires }: LockedAccount,
  now: AccountState | undefined,
  run: RunTool,
): Promise<string | undefined> {
  // Removed since, or another one by now: nothing of ours.
  if (now === undefined || now.uid !== uid) return undefined;
  const commands: [string, string[]][] = [];
  if (now.password === 'locked' && password === 'usable') commands.push(['usermod', ['--unlock', '--', name]]);
  if (now.password === 'locked' && password === 'empty') {
    commands.push(['usermod', ['--password', '', '--', name]], ['chage', ['--lastday', changed || '-1', '--', name]]);
  }
  if (expires && now.expire === LONG_AGO && expire !== LONG_AGO) {
    commands.push(['chage', ['--expiredate', expire === '' ? '-1' : expire, '--', name]]);
  }
  for (const [tool, args] of commands) {
    const said = await run(tool, args);
    if (said.code !== 0) return whyFailed(tool, said);
  }
  return undefined;
}
