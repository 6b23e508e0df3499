import { seconds } from '../../../core/duration.ts';
import { endProcesses, endSessions } from '../homes/end-processes.ts';
import { ownersOf, subordinateRanges } from '../people.ts';
import type { Work } from '../plan.ts';
import { type RunTool, whyFailed } from '../tools.ts';
import { closeNetworkLogins } from './network-logins.ts';
import { makeNologin } from './nologin.ts';
import type { LockFacts } from './read-lock-facts.ts';
import { joinRecord, type LockRecord, readRecord, writeRecord } from './record.ts';

/** shadow(5): the second day of 1970. */
export const LONG_AGO = '1';

/**
 * Keeps everybody but root's own processes out, by ways that `unlock` undoes to the letter. May be done again: what was before is written down
 * once, before anything is changed. @returns what could not be done
 */
export async function lock(facts: LockFacts, { run, folder, step }: Work): Promise<string[]> {
  const record = joinRecord(await readRecord(folder), facts);
  await writeRecord(folder, record);
  const not: string[] = [];
  if (record.nologin) {
    await makeNologin();
    await step('nobody but root can log in (/etc/nologin)');
  }
  not.push(...(await lockAccounts(record, run, step)));
  not.push(...(await closeNetworkLogins(record.units, run)));
  for (const { name } of record.units) await step(`${name} is stopped, and does not start`);

  const { persons } = facts.people;
  await endAllSessions(facts, run);
  await endSessions(
    run,
    persons.map(({ name }) => name),
    persons.map(({ uid }) => uid),
  );
  const isTheirs = ownersOf(
    persons.map(({ uid }) => uid),
    subordinateRanges(facts.subuid, persons, facts.people.known),
  );
  const { left } = await endProcesses({ run, isTheirs, spareServices: true });
  await step('ended all sessions, and what people had running');
  if (left > 0) not.push(`${left} processes of people could not be ended`);
  return not;
}

async function lockAccounts({ accounts }: LockRecord, run: RunTool, step: Work['step']): Promise<string[]> {
  const not: string[] = [];
  for (const { name, password, expires } of accounts) {
    const options = [...(password === 'locked' ? [] : ['--lock']), ...(expires ? ['--expiredate', LONG_AGO] : [])];
    const locked = await run('usermod', [...options, '--', name]);
    // 6: no such account any more
    if (locked.code === 0)
      await step(expires ? `the account ${name} has expired` : `the password of ${name} is locked`);
    else if (locked.code !== 6) not.push(`the account ${name} is not locked: ${whyFailed('usermod', locked)}`);
  }
  return not;
}

/** Root's too: whoever sits there is not told apart from its owner. */
async function endAllSessions({ sessions }: LockFacts, run: RunTool): Promise<void> {
  for (const id of sessions) await run('loginctl', ['terminate-session', '--', id], { timeout: seconds(15) });
}
