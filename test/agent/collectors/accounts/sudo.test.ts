import test, { type ExecutionContext } from 'ava';
import { accounts } from '../../../../src/agent/collectors/accounts/index.ts';
import { judgeSudoers } from '../../../../src/agent/collectors/accounts/judge-sudoers.ts';
import { logicalLines, parseSudoers } from '../../../../src/agent/collectors/accounts/parse-sudoers.ts';
import { saying } from '../host-in-folder.ts';
import { look } from '../look.ts';

const groupsOf = (user: string) => (user === 'alice' ? ['alice', 'sudo'] : []);
const powers = (text: string) => judgeSudoers(parseSudoers(logicalLines(text)), 'laptop.example.org', groupsOf);
const ASKED = true;
const NOT_ASKED = false;

/** Lines of sudoers, as who may run everything as root, and whether a password is asked for (undefined: cannot be told). */
const EVERYTHING: Record<string, [lines: string, everything: Record<string, boolean | undefined>]> = {
  "Debian's own rules": ['root\tALL=(ALL:ALL) ALL\n%sudo\tALL=(ALL:ALL) ALL\n', { '%sudo': ASKED }],
  NOPASSWD: ['alice ALL=(ALL) NOPASSWD: ALL', { alice: NOT_ASKED }],
  'NOPASSWD without a blank (cloud-init)': ['ubuntu ALL=(ALL) NOPASSWD:ALL', { ubuntu: NOT_ASKED }],
  'NOPASSWD among other tags': ['alice ALL=(ALL) NOEXEC:NOPASSWD: SETENV: ALL', { alice: NOT_ASKED }],
  'no target, which is root': ['alice ALL=NOPASSWD: ALL', { alice: NOT_ASKED }],
  'another target by default': ['Defaults runas_default=backup\nalice ALL=NOPASSWD: ALL', {}],
  'another target': ['alice ALL=(postgres) NOPASSWD: ALL', {}],
  'a group as target': ['alice ALL=(:docker) NOPASSWD: ALL', {}],
  'everybody but root as target': ['alice ALL=(ALL, !root) NOPASSWD: ALL', {}],
  'root among the targets, by number': ['alice ALL=(www, #0) NOPASSWD: ALL', { alice: NOT_ASKED }],
  'root itself': ['root ALL=(ALL) NOPASSWD: ALL\n#0 ALL=NOPASSWD: ALL', {}],
  'a user by number': ['#1000 ALL=(ALL) NOPASSWD: ALL', { '#1000': NOT_ASKED }],
  'a comment that looks like a rule': ['# alice ALL=(ALL) NOPASSWD: ALL\nbob ALL=ALL # NOPASSWD: ALL', { bob: ASKED }],
  'everybody, a password asked for in the end': ['alice ALL=NOPASSWD: ALL\nALL ALL=(ALL) PASSWD: ALL', { ALL: ASKED }],
  'the last rule counts': ['alice ALL=NOPASSWD: ALL\nalice ALL=(ALL) ALL', { alice: ASKED }],
  'the last rule counts, the other way round': ['alice ALL=(ALL) ALL\nalice ALL=NOPASSWD: ALL', { alice: NOT_ASKED }],
  'a later rule for one command leaves it': [
    'alice ALL=NOPASSWD: ALL\nalice ALL=(ALL) PASSWD: /bin/su',
    { alice: NOT_ASKED },
  ],
  'one command only': ['alice ALL=NOPASSWD: /usr/bin/apt', {}],
  'a tag goes on to the next command': ['alice ALL=NOPASSWD: /bin/a, ALL', { alice: NOT_ASKED }],
  'a tag ends with the next': ['alice ALL=NOPASSWD: /bin/a, PASSWD: ALL', { alice: ASKED }],
  'a target goes on to the next command': ['alice ALL=(www) /bin/a, NOPASSWD: ALL', {}],
  'a forbidden ALL': ['alice ALL=NOPASSWD: !ALL', {}],
  'a list with blanks': ['alice , bob ALL = (ALL) NOPASSWD: ALL', { alice: NOT_ASKED, bob: NOT_ASKED }],
  'a continued line': ['alice ALL=(ALL) \\\n  NOPASSWD: \\\n ALL', { alice: NOT_ASKED }],
  'a name in quotes, and one with an escaped blank': [
    '"%domain admins" ALL=(ALL) NOPASSWD: ALL\n%other\\ admins ALL=ALL',
    { '%domain admins': NOT_ASKED, '%other admins': ASKED },
  ],
  'a user who is excepted': ['ALL, !bob ALL=NOPASSWD: ALL', { ALL: NOT_ASKED }],
  'aliases of everything, nested': [
    'User_Alias OPS = alice, MORE : MORE = bob\nRunas_Alias TOP = root\nHost_Alias HERE = laptop\nCmnd_Alias ANY = ALL\nOPS HERE=(TOP) NOPASSWD: ANY',
    { alice: NOT_ASKED, bob: NOT_ASKED },
  ],
  'an alias turned round': ['User_Alias OPS = alice, bob\nALL, !OPS ALL=NOPASSWD: ALL', { ALL: NOT_ASKED }],
  'an alias that means itself': ['User_Alias OPS = OPS\nOPS ALL=NOPASSWD: ALL', {}],
  'another host': ['alice server1=NOPASSWD: ALL', {}],
  'this host, by its short name': ['alice LAPTOP=NOPASSWD: ALL', { alice: NOT_ASKED }],
  'this host, by a pattern': ['alice lap*=NOPASSWD: ALL', { alice: NOT_ASKED }],
  'every host but this': ['alice ALL,!laptop=NOPASSWD: ALL', {}],
  'an address': ['alice 10.0.0.0/8=NOPASSWD: ALL', { alice: undefined }],
  'a netgroup, before a rule for all hosts': ['alice +lan=NOPASSWD: ALL\nalice ALL=ALL', { alice: ASKED }],
  'a netgroup, behind a rule for all hosts': ['alice ALL=ALL\nalice +lan=NOPASSWD: ALL', { alice: undefined }],
  'two hosts in one rule': ['alice server1=ALL : laptop=NOPASSWD: ALL', { alice: NOT_ASKED }],
  'nobody is asked': ['Defaults !authenticate\nalice ALL=(ALL) ALL', { alice: NOT_ASKED }],
  'nobody is asked, with a blank': ['Defaults env_reset, ! authenticate\nalice ALL=(ALL) ALL', { alice: NOT_ASKED }],
  'nobody is asked, but for who has PASSWD': ['Defaults !authenticate\nalice ALL=(ALL) PASSWD: ALL', { alice: ASKED }],
  'all are asked again': ['Defaults !authenticate\nDefaults authenticate\nalice ALL=(ALL) ALL', { alice: ASKED }],
  'some are not asked': [
    'Defaults:alice, %ops !authenticate\nalice ALL=ALL\nbob ALL=ALL\n%ops ALL=ALL',
    { alice: NOT_ASKED, bob: ASKED, '%ops': NOT_ASKED },
  ],
  'nobody is asked on another host': ['Defaults@server1 !authenticate\nalice ALL=ALL', { alice: ASKED }],
  'a group that is never asked': ['Defaults exempt_group = wheel\n%wheel ALL=ALL', { '%wheel': NOT_ASKED }],
  'a comment that ends with a backslash': ['# x \\\nalice ALL=(ALL) NOPASSWD: ALL', { alice: NOT_ASKED }],
  'a comment behind a rule that ends with a backslash': [
    'bob ALL=ALL # x \\\nalice ALL=(ALL) NOPASSWD: ALL',
    { alice: NOT_ASKED, bob: ASKED },
  ],
  'two hosts in one rule, without blanks': ['alice other=(ALL) ALL:laptop=(ALL) NOPASSWD: ALL', { alice: NOT_ASKED }],
  'a digest without a blank behind its colon': [
    'alice ALL=NOPASSWD:sha224:AbomF8mNN3wlDt1HD9XldjJ3SNgpFdbjO1XNsQ== /bin/ls, ALL',
    { alice: NOT_ASKED },
  ],
  'nobody is asked who becomes root': ['Defaults>root !authenticate\nalice ALL=ALL', { alice: NOT_ASKED }],
  'nobody is asked who becomes somebody else': ['Defaults>www !authenticate\nalice ALL=ALL', { alice: ASKED }],
  'nobody is asked, whatever the command': ['Defaults!ALL !authenticate\nalice ALL=ALL', { alice: NOT_ASKED }],
  'nobody is asked for one command': ['Defaults!/bin/ls !authenticate\nalice ALL=ALL', { alice: ASKED }],
  'a member of a group who is not asked': [
    'Defaults:alice !authenticate\n%sudo ALL=(ALL:ALL) ALL',
    { '%sudo': ASKED, alice: NOT_ASKED },
  ],
  'somebody who is not asked, and is in no such group': [
    'Defaults:bob !authenticate\n%sudo ALL=(ALL:ALL) ALL',
    { '%sudo': ASKED },
  ],
  'one of all who is not asked': ['Defaults:bob !authenticate\nALL ALL=ALL', { ALL: ASKED, bob: NOT_ASKED }],
  'a group that is not asked, by its member': ['Defaults:%sudo !authenticate\nalice ALL=ALL', { alice: NOT_ASKED }],
  'all are asked again, who was not asked too': [
    'Defaults:alice !authenticate\nDefaults authenticate\nalice ALL=ALL',
    { alice: ASKED },
  ],
  'a command with its digest and options': [
    'alice ALL=(ALL) CWD=/tmp NOPASSWD: sha224:0GomF8mNN3wlDt1HD9XldjJ3SNgpFdbjO1+NsQ== /bin/ls, ALL',
    { alice: NOT_ASKED },
  ],
};
for (const [title, [lines, expected]] of Object.entries(EVERYTHING)) {
  test(`sudo: ${title}`, (t) => {
    const parsed = parseSudoers(logicalLines(lines));
    t.deepEqual(parsed.unclear, []);
    t.deepEqual(Object.fromEntries(powers(lines).everything.map(({ who, password }) => [who, password])), expected);
  });
}

test('commands that need no password are told by who may run them as root', (t) => {
  const { passwordless, everything } = powers(
    'Cmnd_Alias NET = /sbin/ip, /sbin/iw dev *\nalice ALL=(ALL) PASSWD: /bin/su, NOPASSWD: NET, !/bin/sh\nbob ALL=(www) NOPASSWD: /bin/x\n%ops ALL=NOPASSWD: /bin/b\\:c, /bin/a',
  );
  t.deepEqual(everything, []);
  t.deepEqual(passwordless, [
    { who: '%ops', commands: ['/bin/a', '/bin/b\\:c'] },
    { who: 'alice', commands: ['NET'] },
  ]);
});

test('of a command that needs no password the arguments are not told: secrets stand there', (t) => {
  const { passwordless } = powers(
    'alice ALL=NOPASSWD: /bin/x -p s3cret, /opt/a\\ b/c s3cret, sudoedit /etc/s3cret, /bin/y ""\n' +
      'bob ALL=NOPASSWD: sha224:0GomF8mNN3wlDt1HD9XldjJ3SNgpFdbjO1+NsQ== /bin/z s3cret, ^/bin/(a|b) s3cret$',
  );
  t.deepEqual(passwordless, [
    { who: 'alice', commands: ['/bin/x', '/bin/y', '/opt/a\\ b/c', 'sudoedit'] },
    { who: 'bob', commands: ['/bin/z', '^/bin/(a|b)'] },
  ]);
});

const machine = (files: Record<string, string>) => ({
  '/usr/bin/sudo': saying(''),
  '/etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
  '/proc/sys/kernel/hostname': 'laptop\n',
  ...files,
});
const says = (t: ExecutionContext, files: Record<string, string>) => look(t, accounts, machine(files));

test('included files are read in their place; sudo skips names with a dot or a tilde, and so do we', async (t) => {
  const answer = await says(t, {
    '/etc/sudoers': 'alice ALL=ALL\n@includedir /etc/sudoers.d\n#include "/etc/sudoers.%h"\n@include local/more\n',
    '/etc/sudoers.d/README': '# nothing\n',
    '/etc/sudoers.d/10-bob': 'bob ALL=NOPASSWD: ALL\n',
    '/etc/sudoers.d/90-carol.conf': 'carol ALL=NOPASSWD: ALL\n',
    '/etc/sudoers.d/dave~': 'dave ALL=NOPASSWD: ALL\n',
    '/etc/sudoers.laptop': 'erin ALL=NOPASSWD: ALL\n',
    '/etc/local/more': 'frank ALL=NOPASSWD: ALL\n',
  });
  t.like(answer, {
    sudo: {
      installed: true,
      everything: [
        { who: 'alice', password: true },
        { who: 'bob', password: false },
        { who: 'erin', password: false },
        { who: 'frank', password: false },
      ],
    },
  });
});

test('without sudo nobody has its rules', async (t) => {
  t.like(await look(t, accounts, { '/etc/sudoers': 'alice ALL=NOPASSWD: ALL\n' }), {
    sudo: { installed: false, everything: [], passwordless: [] },
  });
});

test('rules that a directory keeps are told to be out of sight', async (t) => {
  t.like(
    await says(t, {
      '/etc/sudoers': '%sudo ALL=ALL\n',
      '/etc/nsswitch.conf': 'passwd: files\nsudoers: files sss # x\n',
    }),
    {
      sudo: { other_sources: ['sss'] },
    },
  );
});

for (const [title, files] of Object.entries({
  'no file': {},
  'an empty file': { '/etc/sudoers': '# nothing\n' },
  'a line without hosts': { '/etc/sudoers': '%sudo ALL=ALL\nalice NOPASSWD\n' },
  'an alias without a name': { '/etc/sudoers': 'User_Alias = alice\n' },
  bytes: { '/etc/sudoers': '\u0000\u0001\u0002\u0003' },
  'files that include one another': {
    '/etc/sudoers': '@include /etc/other\n',
    '/etc/other': '@include /etc/sudoers\n',
  },
  'a file of 2 MiB': { '/etc/sudoers': `${'# '.repeat(1024 * 1024)}\n` },
})) {
  test(`sudo: ${title} is unknown`, async (t) => {
    const answer = await says(t, { ...files });
    t.like(answer, { sudo: 'unknown' });
    t.truthy(Object(answer).reasons.sudo);
  });
}

test('commands are told without their arguments, and not where a later rule asks for a password', (t) => {
  t.deepEqual(powers('alice ALL=NOPASSWD: /bin/x -p s3cret, /bin/y\\ z a').passwordless, [
    { who: 'alice', commands: ['/bin/x', '/bin/y\\ z'] },
  ]);
  t.deepEqual(powers('alice ALL=NOPASSWD: /bin/a, /bin/b\nalice ALL=PASSWD: /bin/a').passwordless, [
    { who: 'alice', commands: ['/bin/b'] },
  ]);
  t.deepEqual(powers('alice ALL=NOPASSWD: /bin/a\nalice ALL=(ALL) ALL').passwordless, []);
  t.deepEqual(powers('alice ALL=NOPASSWD: /bin/a\nALL ALL=(ALL) ALL').passwordless, []);
});
