import test from 'ava';
import { parseProperties, parseSessionIds, sessionOf } from '../../src/agent/login-sessions.ts';

/** loginctl 252 and 257 of Debian 12 and 13. */
test('sessions are listed by old and new versions', (t) => {
  t.deepEqual(parseSessionIds('     2 1000 alice seat0 tty2\n    c1  120 gdm   seat0 tty1\n'), ['2', 'c1']);
  t.deepEqual(parseSessionIds('c1  120 gdm   seat0 1234 greeter tty1 no -\n 2 1000 alice -     99 manager - no -\n'), [
    'c1',
    '2',
  ]);
  t.deepEqual(parseSessionIds('No sessions.\n\n\u0000'), []);
});

test('blocks of properties are told apart, whatever their values hold', (t) => {
  t.deepEqual(parseProperties('a=b=c\n\n\nd=\n'), [{ a: 'b=c' }, { d: '' }]);
});

const WHOLE = 'Id=2\nUser=1000\nName=alice\nType=x11\nClass=user\nState=active\nDesktop=a=b\n';
const read = (text: string) => parseProperties(text).flatMap((said) => sessionOf(said) ?? []);

test('what lacks what matters is no session', (t) => {
  t.is(read(`\n${WHOLE}\n\nId=3\nUser=x\nName=b\nClass=user\n\nUser=1\n`).length, 1);
  t.is(read(WHOLE)[0]?.desktop, 'a=b');
  t.deepEqual(read('\u0000\u0001\n\n\n'), []);
});

for (const [what, from, to, count] of [
  ['of the class user', 'Class=user', 'Class=user', 1],
  ['of the class user-light', 'Class=user', 'Class=user-light', 1],
  ['of a greeter', 'Class=user', 'Class=greeter', 0],
  ["of the manager of a user's services", 'Class=user', 'Class=manager', 0],
  ['of somebody who is not there yet', 'Class=user', 'Class=user-incomplete', 0],
  ['that is being closed', 'State=active', 'State=closing', 0],
] as const) {
  test(`a session ${what} ${count === 1 ? 'is one' : 'is none'} of a person`, (t) => {
    t.is(read(WHOLE.replace(from, to)).length, count);
  });
}
