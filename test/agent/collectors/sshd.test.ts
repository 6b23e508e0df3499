import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { parseListener, parseSshdConfig } from '../../../src/agent/collectors/parse-sshd.ts';
import { sshd } from '../../../src/agent/collectors/sshd.ts';
import { whenPresent } from '../../support/needs.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { hostInFolder, plant, saying, thisHost } from './host-in-folder.ts';

test('a keyword is a text, or a sorted list where it was given more than once', (t) => {
  t.deepEqual(
    parseSshdConfig(
      'port 22\nhostkey /etc/b\nhostkey /etc/a\nbanner none\nsubsystem sftp /usr/lib/sftp -l INFO\nversionaddendum\n',
    ),
    {
      banner: 'none',
      hostkey: ['/etc/a', '/etc/b'],
      port: '22',
      subsystem: 'sftp /usr/lib/sftp -l INFO',
      versionaddendum: '',
    },
  );
});

const clear = { options: [], files: [], isClear: true };
const LISTENERS: Record<string, ReturnType<typeof parseListener>> = {
  // Debian 12, OpenSSH 9.2
  'sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups\0': clear,
  'sshd: /usr/sbin/sshd -D -f /etc/ssh/other -o Port=2222 -p 23 [listener] 0 of 10-100 startups\0\0\0': {
    options: ['-f', '/etc/ssh/other', '-o', 'Port=2222', '-p', '23'],
    files: ['/etc/ssh/other'],
    isClear: true,
  },
  'sshd: /usr/sbin/sshd -oUseDNS no -f/etc/x [listener] 0 of 10-100 startups\0': {
    options: ['-o', 'UseDNS no', '-f', '/etc/x'],
    files: ['/etc/x'],
    isClear: true,
  },
  '/usr/sbin/sshd\0-D\0': clear,
  'sshd: alice [priv]\0': undefined,
  'sshd: alice@pts/0\0': undefined,
  '/usr/sbin/sshd\0-i\0': undefined,
  '': undefined,
};

for (const [commandLine, expected] of Object.entries(LISTENERS)) {
  test(`"${commandLine.replaceAll('\0', ' ')}" is ${expected === undefined ? 'no listener' : 'a listener'}`, (t) => {
    t.deepEqual(parseListener(commandLine), expected);
  });
}

for (const option of [
  ['-o', 'HostKey=/dev/watchdog'],
  ['-oSecurityKeyProvider', '/home/alice/evil.so'],
  ['-o', 'include=/home/alice/x'],
  ['-o', 'Port=22\nHostKey=/dev/watchdog'],
  ['-o', 'NoSuchThing=1'],
  ['-f', 'etc/x'],
  ['-p', '-1'],
  ['-p', 'HostKey'],
]) {
  test(`an sshd with ${JSON.stringify(option)} has settings that are not clear`, (t) => {
    t.false(parseListener(['/usr/sbin/sshd', '-D', ...option, '-e'].join('\0'))?.isClear);
  });
}

const CONFIG = saying('port 22\npermitrootlogin no\n');
const INIT = { '/proc/1/comm': 'systemd\n', '/proc/1/status': 'Uid:\t0\t0\t0\t0\nNSpid:\t1\n' };
const LISTENER = {
  '/proc/812/comm': 'sshd\n',
  '/proc/812/status': 'Name:\tsshd\nUid:\t0\t0\t0\t0\nNSpid:\t812\n',
  '/proc/812/cmdline': 'sshd: /usr/bin/sshd -D [listener] 0 of 10-100 startups\0',
  '/proc/812/exe': '-> ../../usr/bin/sshd',
};

const answers = test.macro(async (t, files: Record<string, string>, expected: object) => {
  const folder = await scratchFolder(t);
  await plant(folder, files);
  t.deepEqual(await sshd.collect(hostInFolder(t, folder)), expected);
});

const config = { permitrootlogin: 'no', port: '22' };

test('no sshd is missing', answers, INIT, { status: 'missing', config: {} });

test(
  'an sshd that nobody started is stopped, and its settings are read',
  answers,
  { ...INIT, '/usr/bin/sshd': CONFIG },
  {
    status: 'stopped',
    config,
  },
);

test(
  'a listener is running',
  answers,
  { ...INIT, ...LISTENER, '/usr/bin/sshd': CONFIG },
  { status: 'running', config },
);

test(
  'a pid file leads to the listener',
  answers,
  { ...INIT, ...LISTENER, '/run/sshd.pid': '812\n', '/usr/bin/sshd': CONFIG },
  { status: 'running', config },
);

test(
  'a stale pid file does not mislead',
  answers,
  { ...INIT, '/run/sshd.pid': '1\n', '/usr/bin/sshd': CONFIG },
  { status: 'stopped', config },
);

test(
  'a connection that outlives its stopped listener does not count',
  answers,
  { ...INIT, ...LISTENER, '/proc/812/cmdline': 'sshd: alice [priv]\0', '/usr/bin/sshd': CONFIG },
  { status: 'stopped', config },
);

test(
  "a user's process called sshd does not count",
  answers,
  { ...INIT, ...LISTENER, '/proc/812/status': 'Uid:\t1000\t1000\t1000\t1000\nNSpid:\t812\n', '/usr/bin/sshd': CONFIG },
  { status: 'stopped', config },
);

test(
  'the sshd of a container on this machine does not count',
  answers,
  { ...INIT, ...LISTENER, '/proc/812/status': 'Uid:\t0\t0\t0\t0\nNSpid:\t812\t17\n' },
  { status: 'missing', config: {} },
);

test(
  'where systemd listens in its place it is running',
  answers,
  {
    ...INIT,
    '/run/systemd/system/x': '',
    '/usr/bin/systemctl': saying('active\ninactive\n', 3),
    '/usr/bin/sshd': CONFIG,
  },
  { status: 'running', config },
);

test(
  'settings that may not be read are unknown',
  answers,
  { ...INIT, '/usr/bin/sshd': saying('sshd: no hostkeys available -- exiting.', 1) },
  { status: 'stopped', config: 'unknown' },
);

test(
  'settings are read without keys where sshd can do that',
  answers,
  { ...INIT, '/usr/bin/sshd': '#!/bin/sh\ntest "$1" = -G && echo port 22\n' },
  { status: 'stopped', config: { port: '22' } },
);

test(
  'where the processes of others are hidden, stopped would be a guess',
  answers,
  { '/proc/1/x': '', '/usr/bin/sshd': CONFIG },
  { status: 'unknown', config },
);

test(
  'an sshd that was removed while it runs is running, with settings unknown',
  answers,
  { ...INIT, ...LISTENER, '/proc/812/exe': '-> /usr/bin/sshd (deleted)' },
  { status: 'running', config: 'unknown' },
);

test(
  'an sshd that was replaced while it runs is running, with the settings that the new one reads',
  answers,
  { ...INIT, ...LISTENER, '/proc/812/exe': '-> /usr/bin/sshd (deleted)', '/usr/bin/sshd': CONFIG },
  { status: 'running', config },
);

const EVIL = '#!/bin/sh\ntouch "$(dirname "$0")/was-run"\necho port 1\n';
const FORGED = {
  ...LISTENER,
  '/proc/812/cmdline': '/home/alice/evil\0-s\0/bin/sh\0',
  '/home/alice/evil': EVIL,
};

for (const [title, files, expected] of [
  [
    "a setuid program that a user calls sshd, and that is root's for a moment, is none",
    { ...FORGED, '/proc/812/exe': '-> ../../usr/bin/chsh', '/usr/bin/chsh': '' },
    { status: 'stopped', config },
  ],
  [
    'another sshd than the system has is running, and its settings are unknown',
    { ...FORGED, '/proc/812/exe': '-> ../../opt/sbin/sshd', '/opt/sbin/sshd': EVIL },
    { status: 'running', config: 'unknown' },
  ],
  ['what the real sshd says that it is called is not run', FORGED, { status: 'running', config }],
  [
    "one that is root's by some of its numbers alone is none",
    { ...FORGED, '/proc/812/status': 'Name:\tsshd\nUid:\t0\t0\t1000\t1000\nNSpid:\t812\n' },
    { status: 'stopped', config },
  ],
] as const) {
  test(`${title}; no other program is run`, async (t) => {
    const folder = await scratchFolder(t);
    await plant(folder, { ...INIT, '/usr/bin/sshd': CONFIG, ...files });
    const ran: string[] = [];
    const inside = hostInFolder(t, folder);
    const answer = await sshd.collect({
      ...inside,
      isRoot: true,
      run: (path, args, options) => {
        ran.push(path);
        return inside.run(path, args, options);
      },
    });
    t.deepEqual(answer, expected);
    t.deepEqual(ran, expected.config === 'unknown' ? [] : ['/usr/bin/sshd']);
    t.false(existsSync(`${folder}/home/alice/was-run`));
  });
}

test('a process that becomes another one while it is looked at is none', async (t) => {
  const folder = await scratchFolder(t);
  await plant(folder, { ...INIT, ...FORGED, '/usr/bin/sshd': CONFIG });
  const inside = hostInFolder(t, folder);
  let isRead = false;
  const answer = await sshd.collect({
    ...inside,
    isRoot: true,
    readText: (path, options) => {
      if (path.endsWith('/cmdline')) isRead = true;
      return inside.readText(path, options);
    },
    readLink: async (path) => (isRead && path === '/proc/812/exe' ? '/usr/bin/chsh' : inside.readLink(path)),
    stat: async (path) => (isRead && path === '/proc/812/exe' ? undefined : inside.stat(path)),
  });
  t.deepEqual(answer, { status: 'stopped', config });
});

interface Machine {
  /** other than root's, which only root may write */
  owned?: Record<string, [uid: number, mode: number]>;
  files?: Record<string, string>;
}

const withFile = test.macro(async (t, file: string, isRead: boolean, { owned = {}, files = {} }: Machine = {}) => {
  const folder = await scratchFolder(t);
  await plant(folder, {
    ...INIT,
    ...LISTENER,
    '/proc/812/cmdline': `sshd: /usr/bin/sshd -D -f ${file} [listener] 0 of 10-100 startups\0`,
    '/usr/bin/sshd': '#!/bin/sh\necho "port $*"\n',
    '/etc/ssh/other': '',
    '/srv/ssh/config': '',
    ...files,
  });
  const inside = hostInFolder(t, folder);
  const answer = await sshd.collect({
    ...inside,
    isRoot: true,
    stat: async (path) => {
      const facts = await inside.stat(path);
      const [uid, mode] = owned[path] ?? [0, 0o755];
      return facts && { ...facts, uid, mode };
    },
  });
  t.deepEqual(answer, { status: 'running', config: isRead ? { port: `-T -f ${file}` } : 'unknown' });
});

const OTHER = '/etc/ssh/other';
const SERVED = '/srv/ssh/config';
test('settings of a listener that only root can change are read', withFile, OTHER, true);
test('so are those in a sticky folder', withFile, SERVED, true, { owned: { '/srv': [0, 0o1777] } });
test("so are those behind root's link", withFile, '/etc/ssh/link', true, { files: { '/etc/ssh/link': '-> other' } });
test("a user's settings of a listener are not", withFile, OTHER, false, { owned: { [OTHER]: [1000, 0o644] } });
test('nor are those that others may write', withFile, OTHER, false, { owned: { [OTHER]: [0, 0o664] } });
test("nor are those in a user's folder", withFile, SERVED, false, { owned: { '/srv': [1000, 0o755] } });
test('nor are those in a folder where others may write', withFile, SERVED, false, { owned: { '/srv': [0, 0o777] } });
test('nor are those behind a link in a sticky folder', withFile, '/srv/link', false, {
  owned: { '/srv': [0, 0o1777] },
  files: { '/srv/link': '-> /etc/ssh/other' },
});
test("nor is what root's link leads to, if it is a user's", withFile, '/etc/ssh/link', false, {
  owned: { [SERVED]: [1000, 0o644] },
  files: { '/etc/ssh/link': '-> /srv/ssh/config' },
});
test('nor is a folder', withFile, '/etc/ssh', false);
test('nor is what lies beyond ..', withFile, '/etc/ssh/../ssh/other', false);

const asRoot = whenPresent(process.getuid?.() === 0, 'root');
const real = whenPresent(
  existsSync('/usr/sbin/sshd') && existsSync('/usr/bin/ssh-keygen') && process.getuid?.() === 0,
  'openssh-server, or not root',
);

real(
  'a real sshd with settings of its own is running, and its settings are those that it was started with',
  async (t) => {
    const folder = await scratchFolder(t);
    const host = thisHost(t);
    const keygen = await host.run('/usr/bin/ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', `${folder}/key`]);
    t.is(keygen.code, 0, keygen.stderr);
    const port = String(await freePort());
    await plant(folder, { '/config': settings(port, `${folder}/key`) });
    await host.run('/usr/bin/mkdir', ['-p', '/run/sshd']);
    const pid = await startSshd(t, `${folder}/config`);
    // The machine's own sshd, if it has one, is not what this is about.
    const ours = {
      ...host,
      readText: (path: string) => (path === '/run/sshd.pid' ? Promise.resolve(undefined) : host.readText(path)),
      list: (path: string) => (path === '/proc' ? Promise.resolve([String(pid)]) : host.list(path)),
    };
    t.like(await sshd.collect(ours), {
      status: 'running',
      config: { port, permitrootlogin: 'no', passwordauthentication: 'yes', hostkey: `${folder}/key` },
    });
  },
);

asRoot('a real process of root called sshd that says it is another program: that one is not run', async (t) => {
  const folder = await scratchFolder(t);
  await plant(folder, { '/evil': '#!/bin/sh\necho "$@" >> "$0-ran"\necho port 1\n', '/sshd': '-> /usr/bin/sleep' });
  const child = spawn(`${folder}/sshd`, ['60'], { argv0: `${folder}/evil`, stdio: 'ignore' });
  t.teardown(() => child.kill());
  const host = thisHost(t);
  const [comm, status, cmdline] = await Promise.all(
    ['comm', 'status', 'cmdline'].map((file) => host.readText(`/proc/${child.pid}/${file}`)),
  );
  t.is(comm, 'sshd\n');
  t.regex(status ?? '', /^Uid:\t0\t0\t0\t0$/m);
  t.is(cmdline, `${folder}/evil\u000060\0`);
  const answer = await sshd.collect({
    ...host,
    readText: (path) => (path === '/run/sshd.pid' ? Promise.resolve(`${child.pid}\n`) : host.readText(path)),
    list: (path) => (path === '/proc' ? Promise.resolve([String(child.pid)]) : host.list(path)),
  });
  t.false(existsSync(`${folder}/evil-ran`));
  t.notDeepEqual(Object(answer).config, { port: '1' });
  t.not(Object(answer).status, 'running');
});

/** What `sshd -T` says of these settings, as the collector reads them with nothing running. */
async function effective(t: ExecutionContext, lines: readonly string[], included: Record<string, string> = {}) {
  const folder = await scratchFolder(t);
  const host = thisHost(t);
  await host.run('/usr/bin/ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', `${folder}/key`]);
  await host.run('/usr/bin/mkdir', ['-p', '/run/sshd']);
  const written = [`HostKey ${folder}/key`, ...lines.map((line) => line.replaceAll('FOLDER', folder))];
  await plant(folder, { '/config': `${written.join('\n')}\n`, ...included });
  const answer: unknown = await sshd.collect({
    ...host,
    list: async () => [],
    readText: async (path) => (path === '/proc/1/comm' ? 'systemd\n' : undefined),
    run: (path, args, options) => host.run(path, [...args, '-f', `${folder}/config`], options),
  });
  return answer;
}

real('of included files and the file itself the first word counts, as sshd has it', async (t) => {
  const lines = ['Include FOLDER/parts/*.conf', 'PermitRootLogin yes', 'MaxAuthTries 9'];
  const parts = {
    '/parts/10-first.conf': 'PermitRootLogin no\n',
    '/parts/20-second.conf': 'PermitRootLogin yes\nX11Forwarding yes\n',
    '/parts/30-not-read': 'PermitEmptyPasswords yes\n',
  };
  t.like(await effective(t, lines, parts), {
    config: { permitrootlogin: 'no', maxauthtries: '9', x11forwarding: 'yes', permitemptypasswords: 'no' },
  });
});

real('an include that comes last changes nothing that was said before', async (t) => {
  const lines = ['PasswordAuthentication no', 'Include FOLDER/parts/*.conf'];
  t.like(await effective(t, lines, { '/parts/x.conf': 'PasswordAuthentication yes\n' }), {
    config: { passwordauthentication: 'no' },
  });
});

real('what a Match block says to some is not what holds for all', async (t) => {
  const lines = [
    'PermitRootLogin no',
    'PasswordAuthentication no',
    'Match Address 10.0.0.0/8',
    'PasswordAuthentication yes',
    'Match User root',
    'PermitRootLogin yes',
    'Include FOLDER/parts/*.conf',
  ];
  t.like(await effective(t, lines, { '/parts/x.conf': 'X11Forwarding yes\n' }), {
    config: { permitrootlogin: 'no', passwordauthentication: 'no', x11forwarding: 'no' },
  });
});

real('a Match block in an included file ends with that file', async (t) => {
  const lines = ['Include FOLDER/parts/*.conf', 'PasswordAuthentication no'];
  const parts = { '/parts/x.conf': 'Match User bob\nPasswordAuthentication yes\nX11Forwarding yes\n' };
  t.like(await effective(t, lines, parts), { config: { passwordauthentication: 'no', x11forwarding: 'no' } });
});

real('weak algorithms that are added by name are told', async (t) => {
  const answer = await effective(t, ['Ciphers +aes128-cbc', 'MACs +hmac-md5']);
  const text = JSON.stringify(answer);
  t.true(text.includes('aes128-cbc') && text.includes('hmac-md5'), text);
});

real('settings that sshd does not accept are unknown', async (t) => {
  t.like(await effective(t, ['PermitRootLogin maybe']), { config: 'unknown' });
});

function settings(port: string, key: string): string {
  const lines = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${key}`,
    'PidFile none',
    'PermitRootLogin no',
    'PasswordAuthentication yes',
  ];
  return `${lines.join('\n')}\n`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function startSshd(t: ExecutionContext, config: string): Promise<number | undefined> {
  const server = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  t.teardown(() => server.kill());
  await new Promise<void>((resolve, reject) => {
    let said = '';
    server.stderr.on('data', (piece) => {
      said += String(piece);
      if (said.includes('listening')) resolve();
    });
    server.on('exit', () => reject(new Error(`sshd ended: ${said}`)));
  });
  return server.pid;
}
