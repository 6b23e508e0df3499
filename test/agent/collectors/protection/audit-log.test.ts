import test from 'ava';
import { protection } from '../../../../src/agent/collectors/protection/index.ts';
import { saying } from '../host-in-folder.ts';
import { look, running } from '../look.ts';

const JOURNALD = running('systemd-journal', { pid: 200 });
const machine = (files: Record<string, string> = {}) => ({ ...JOURNALD, '/var/log/journal/.keep': '', ...files });

const JOURNAL: Record<string, [files: Record<string, string>, journal: string]> = {
  'journald left to itself, and the folder': [machine(), 'persistent'],
  'journald left to itself, without the folder': [JOURNALD, 'volatile'],
  'volatile, whatever folder there is': [
    machine({ '/etc/systemd/journald.conf': '[Journal]\nStorage=volatile\n' }),
    'volatile',
  ],
  'a comment says nothing': [machine({ '/etc/systemd/journald.conf': '[Journal]\n#Storage=volatile\n' }), 'persistent'],
  'persistent makes the folder by itself': [
    { ...JOURNALD, '/etc/systemd/journald.conf': '[Journal]\nStorage = Persistent\n' },
    'persistent',
  ],
  'a drop-in counts more than the file': [
    machine({
      '/etc/systemd/journald.conf': 'Storage=persistent\n',
      '/usr/lib/systemd/journald.conf.d/10-vendor.conf': 'Storage=none\n',
    }),
    'none',
  ],
  'the last name of all folders counts': [
    machine({
      '/etc/systemd/journald.conf.d/10-a.conf': 'Storage=volatile\n',
      '/usr/lib/systemd/journald.conf.d/20-b.conf': 'Storage=persistent\n',
    }),
    'persistent',
  ],
  "the administrator's file hides the vendor's of its name": [
    machine({
      '/etc/systemd/journald.conf.d/20-b.conf': '# nothing\n',
      '/usr/lib/systemd/journald.conf.d/20-b.conf': 'Storage=volatile\n',
    }),
    'persistent',
  ],
  'a link to /dev/null hides it too': [
    machine({
      '/etc/systemd/journald.conf.d/20-b.conf': '',
      '/usr/lib/systemd/journald.conf.d/20-b.conf': 'Storage=volatile\n',
    }),
    'persistent',
  ],
  'an empty value resets it': [machine({ '/etc/systemd/journald.conf': 'Storage=volatile\nStorage=\n' }), 'persistent'],
  'a word that journald does not know': [machine({ '/etc/systemd/journald.conf': 'Storage=sometimes\n' }), 'unknown'],
  'no journald at all': [{ '/proc/1/comm': 'init\n', '/var/log/journal/.keep': '' }, 'none'],
};
for (const [title, [files, journal]] of Object.entries(JOURNAL)) {
  test(`the journal with ${title} is ${journal}`, async (t) => {
    t.like(await look(t, protection, files), { audit_log: { journal } });
  });
}

test('auditd runs, is stopped, or is not there; a syslog daemon is told', async (t) => {
  t.like(await look(t, protection, machine()), { audit_log: { auditd: 'absent', syslog: false } });
  t.like(await look(t, protection, machine({ '/usr/bin/auditd': saying('') })), { audit_log: { auditd: 'stopped' } });
  const both = machine({ ...running('auditd'), ...running('rsyslogd', { pid: 301, uid: 102 }) });
  t.like(await look(t, protection, both), { audit_log: { auditd: 'running', syslog: true } });
});

test('a process that somebody calls auditd, and one in a container, are not it', async (t) => {
  for (const process of [{ uid: 1000 }, { more: '\t17' }]) {
    t.like(await look(t, protection, machine(running('auditd', process))), { audit_log: { auditd: 'absent' } });
  }
});

test('where /proc hides the processes of others nothing is concluded from it', async (t) => {
  const answer = await look(t, protection, { '/proc/300/comm': 'auditd\n', '/usr/bin/auditd': saying('') });
  t.like(answer, { audit_log: { auditd: 'unknown', syslog: 'unknown' } });
});
