import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { succeed } from '../support/penguindome.ts';
import { installServer, runServer } from '../support/server-program.ts';
import { makePayload, NO_AGENT, STRIP } from './support/bootstrap.ts';
import { type Finished, finish } from './support/finish.ts';
import { onMachine } from './support/needs.ts';
import { commandsOf } from './support/packages.ts';
import { writableRoot } from './support/writable-root.ts';

const PAGE = 'docs/install.md';
const OWN = '/usr/lib/penguindome/bootstrap';

/** Folders and owners are those that systemd-tmpfiles would make. */
const FOLDERS = `root:root 755 /var/lib/penguindome
root:penguindome 750 /var/lib/penguindome/spool/reports
penguindome:penguindome 700 /var/lib/penguindome/inbox
penguindome:penguindome 700 /var/lib/penguindome/submit
root:root 700 /var/lib/penguindome/orders`;

const CRON = /^ {2}\* \* \* \* \* (.*)$/m;

onMachine('without systemd it installs no units, says what cron is to call, and that reports', async (t) => {
  const payload = await makePayload(t);
  t.timeout(240_000, 'a root without systemd');
  const root = await writableRoot(t);
  const installed = await installServer(t);
  await runServer(t, installed);
  const dome = (...args: string[]) => succeed(['--config', installed.config, ...args]);
  const at = (name: string) => join(root, 'root', name);
  await dome('enrollment', 'token', '--approve', '--out', at('token'));
  const parts = ['--parts', join(payload, 'bootstrap'), '--runtime', join(payload, 'runtime/node')];
  await dome(
    'release',
    'bootstrap',
    ...parts,
    '--token-file',
    at('token'),
    '--output',
    at('penguindome-agent-it.tar.gz'),
  );
  const inside = (line: string) =>
    finish('unshare', ['--mount', '--pid', '--fork', 'sh', '-euc', INSIDE, 'sh', root, line]);
  const must = async (line: string) => {
    const { status, stdout, stderr } = await inside(line);
    if (status !== 0) throw new Error(`${line}: exit status ${status}\n${stdout}${stderr}`);
    return stdout + stderr;
  };
  await must(`${STRIP}
 rm -rf /usr/bin/system* /usr/lib/systemd /run/systemd`);

  const lines = (await commandsOf(PAGE, 'Any other distribution')).map((line) => `cd /root; ${line}`);
  const install = lines.pop() ?? '';
  await must(NO_AGENT);
  await findsTampered(t, { inside, must, lines });
  for (const line of lines) await must(line);
  const refusal = async (line: string) => {
    const { status, stderr } = await inside(line);
    t.is(status, 1, line);
    t.is((await must('find /usr /etc -path "*penguindome*"')).trim(), '', line);
    return stderr;
  };
  t.regex(await refusal(`setarch i686 ${INSTALL}`), /this is for x86_64, and this machine is i686/);
  t.regex(await refusal(`setarch --uname-2.6 ${INSTALL}`), /needs Linux 4\.18 or newer, and this is 2\.6/);
  t.regex(
    await refusal(`cp -r /root/penguindome-agent-*/ /tmp/it; cd /tmp/it; ${NEEDS_MORE}; ./install.sh`),
    /needs glibc 2\.99 or newer, and this system has 2\.41/,
  );
  t.regex(await refusal(`setpriv --reuid 65534 --clear-groups /tmp/it/install.sh`), /this takes root/);

  const said = await must(install);
  t.regex(said, /no systemd \(247 or newer\), so that no units were installed/);
  t.is((await must('find / -xdev -name "penguindome*.service" -o -xdev -name "penguindome*.timer"')).trim(), '');
  const folders = FOLDERS.split('\n').map((line) => line.split(' ')[2]);
  t.is((await must(`stat -c '%U:%G %a %n' ${folders.join(' ')}`)).trim(), FOLDERS);
  t.is((await must('find /var/lib/penguindome -name online')).trim(), '', 'no unit asks outside: the collector does');
  const enrol = /^Then enrol this machine: (.*)$/m.exec(said)?.[1] ?? '';
  await must(enrol);
  await must(CRON.exec(said)?.[1] ?? 'false');
  const [host] = JSON.parse(await dome('--json', 'hosts', 'list'));
  t.truthy(host.submitted_at);
  t.regex(await must('penguindome-agent status'), /All is well/);
  for (const line of await commandsOf(PAGE, 'Upgrade or remove what the tar installed')) {
    await must(line);
    await must(install);
  }
  await must(`${OWN}/install.sh --purge`);
  t.is((await must('find /usr /etc /var -path "*penguindome*"')).trim(), '');
});

const INSTALL = '/root/penguindome-agent-*/install.sh';

interface Inside {
  inside(line: string): Promise<Finished>;
  must(line: string): Promise<string>;
  lines: string[];
}

/** One byte of what came is another one: gpg says so, and where nobody asked it, the sums do. */
async function findsTampered(t: ExecutionContext, { inside, must, lines }: Inside): Promise<void> {
  const [take = '', verify = ''] = lines;
  await must(take);
  const tar = '/root/penguindome-agent-it.tar.gz';
  await must(`cp ${tar} /root/whole; printf X | dd of=${tar} bs=1 seek=5000 conv=notrunc`);
  const bad = await inside(verify);
  t.not(bad.status, 0);
  t.regex(bad.stderr, /BAD signature/);
  await must(`mv /root/whole ${tar}; mkdir /root/other; tar -xzf ${tar} -C /root/other`);
  const { status, stderr } = await inside('cd /root/other/*/; echo "# more" >>about; ./install.sh');
  t.is(status, 1);
  t.regex(stderr, /about: FAILED[\s\S]*not as they were made\. Nothing was changed/);
  t.is((await must('rm -r /root/other; find /usr /etc -path "*penguindome*"')).trim(), '');
}

/** In a root of its own, with processes and devices. */
const INSIDE = 'mount -t proc proc "$1/proc"; mount --bind /dev "$1/dev"; exec chroot "$1" sh -euc "$2"';
const NEEDS_MORE =
  'sed -i s/glibc=.*/glibc=2.99/ about; sha256sum $(sed "s/^.*  //" SHA256SUMS) >new; mv new SHA256SUMS';
