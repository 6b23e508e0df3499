import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { parseAccountStates } from '../../../../src/agent/wipe/lock/account-states.ts';
import { planLock } from '../../../../src/agent/wipe/lock/plan-lock.ts';
import { type LockFacts, parseUnitFiles } from '../../../../src/agent/wipe/lock/read-lock-facts.ts';
import { joinRecord, readRecord, recordIn, writeRecord } from '../../../../src/agent/wipe/lock/record.ts';
import { pickPeople } from '../../../../src/agent/wipe/people.ts';
import { scratchFolder } from '../../../support/scratch.ts';

const PASSWD = `root:x:0:0:root:/root:/bin/bash
postgres:x:101:101::/var/lib/postgresql:/bin/bash
sshd:x:102:65534::/run/sshd:/usr/sbin/nologin
alice:x:1000:1000::/home/alice:/bin/bash
bob:x:1001:1001::/home/bob:/bin/bash
old:abJnggxhB/yWI:1002:1002::/home/old:/bin/sh
`;
const SHADOW = `root:$y$j9T$abc:20000:0:99999:7:::
postgres:$y$j9T$abc:20000:0:99999:7:::
sshd:!*:20000::::::
alice:$y$j9T$abc:20001:0:99999:7::21000:
bob::20002:0:99999:7:::
`;

function facts(more: Partial<LockFacts> = {}): LockFacts {
  return {
    people: pickPeople({ passwd: PASSWD, loginDefs: new Map() }),
    accounts: parseAccountStates(PASSWD, SHADOW),
    units: [{ name: 'ssh.service', active: true }],
    lingering: ['bob'],
    sessions: ['2', 'c1'],
    subuid: '',
    nologin: false,
    ...more,
  };
}

test('what decides whether an account lets somebody in is read, and no hash', (t) => {
  const states = parseAccountStates(PASSWD, SHADOW);
  t.deepEqual(
    states.map(({ name, password, expire }) => [name, password, expire]),
    [
      ['root', 'usable', ''],
      ['postgres', 'usable', ''],
      ['sshd', 'locked', ''],
      ['alice', 'usable', '21000'],
      ['bob', 'empty', ''],
      ['old', 'usable', ''],
    ],
  );
  t.notRegex(JSON.stringify(joinRecord(undefined, facts())), /\$y\$|abJn/);
});

test('the plan names who is locked how, what is stopped, and what that does not help against', (t) => {
  const { will, cannot } = planLock(facts());
  t.deepEqual(will, [
    'let the accounts alice, bob, old expire, and lock their passwords',
    'lock the passwords of root, postgres',
    'let nobody but root log in (/etc/nologin)',
    'keep ssh.service from starting, and stop it',
    'end 2 sessions',
    'end what runs without a session of bob',
    'write down what was before, for unlock',
  ]);
  t.regex(cannot.join('\n'), /takes one out/);
});

test('a second lock keeps what the first wrote down, and adds what has come since', (t) => {
  const first = joinRecord(undefined, facts());
  const locked = facts({
    accounts: [
      ...facts().accounts.map((one) => ({ ...one, password: 'locked' as const, expire: '1' })),
      { name: 'eve', uid: 1003, password: 'usable', changed: '20003', expire: '' },
    ],
    people: pickPeople({ passwd: `${PASSWD}eve:x:1003:1003::/home/eve:/bin/sh\n`, loginDefs: new Map() }),
    units: [
      { name: 'ssh.service', active: false },
      { name: 'xrdp.service', active: true },
    ],
    lingering: [],
    nologin: true,
  });
  const second = joinRecord(first, locked);
  t.deepEqual(second.accounts.slice(0, -1), first.accounts);
  t.like(second.accounts.at(-1), { name: 'eve', password: 'usable', expires: true });
  t.deepEqual(second.units, [
    { name: 'ssh.service', active: true },
    { name: 'xrdp.service', active: true },
  ]);
  t.deepEqual(second.lingering, ['bob']);
  t.true(second.nologin);
});

test('a nologin of the administrator’s is not ours', (t) => {
  t.false(joinRecord(undefined, facts({ nologin: true })).nologin);
});

test('what was before is kept, and a damaged record is never taken for none', async (t) => {
  const folder = join(await scratchFolder(t), 'wipe');
  t.is(await readRecord(folder), undefined);
  const record = joinRecord(undefined, facts());
  await writeRecord(folder, record);
  t.deepEqual(await readRecord(folder), record);
  writeFileSync(recordIn(folder), readFileSync(recordIn(folder), 'utf8').slice(0, 100));
  await t.throwsAsync(readRecord(folder), { message: /cannot tell what was before the lock/ });
});

test('units that let somebody in over the network are told from others, whatever else they are called', (t) => {
  const listed = `cockpit.socket                         disabled enabled
cron.service                           enabled  enabled
dropbear@.service                      static   -
ssh.service                            enabled  enabled
ssh.socket                             disabled enabled
ssh@.service                           static   -
sshd.service                           alias    -
sshd-keygen.service                    enabled  enabled
systemd-ssh-generator.service          static   -
`;
  t.deepEqual(parseUnitFiles(listed), [
    'cockpit.socket',
    'dropbear@.service',
    'ssh.service',
    'ssh.socket',
    'ssh@.service',
  ]);
});
