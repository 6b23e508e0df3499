import type { ExecutionContext } from 'ava';
import { makePayload, NO_AGENT, STRIP } from './support/bootstrap.ts';
import { ADDRESSES, connect } from './support/connect.ts';
import { bootMachine, type Machine } from './support/machine.ts';
import { onMachine } from './support/needs.ts';
import { commandsOf, run } from './support/packages.ts';
import { DIR, program, type Site, setUpSite, UNIT } from './support/site.ts';

const PAGE = 'docs/install.md';
const NAME = 'dome.example';
const SHOWN = '/srv/payload';
const OWN = '/usr/lib/penguindome/bootstrap';

/** A server as packages install it, with the payload in their stead. */
async function serverWithParts(t: ExecutionContext, payload: string): Promise<{ server: Machine; site: Site }> {
  const server = await bootMachine(t, { binds: { [payload]: SHOWN } });
  await server.run([
    'sh',
    '-euc',
    `install -D -m 755 ${SHOWN}/runtime/node /usr/lib/penguindome/runtime/bin/node
     mkdir -p /usr/share/penguindome && ln -s ${SHOWN}/bootstrap /usr/share/penguindome/bootstrap
     ln -s ${program('penguindome')} /usr/bin/penguindome`,
  ]);
  const site = await setUpSite(server, { hostName: NAME });
  return { server, site };
}

/** As root types it, one line after the other, in /root. */
async function type(machine: Machine, lines: readonly string[]): Promise<string> {
  let said = '';
  for (const line of lines)
    said += await machine.run(['bash', '-c', `export PENGUINDOME_CONFIG=${DIR}/server.yml; cd /root; ${line} 2>&1`]);
  return said;
}

/** Carried over by hand. */
async function carry(from: Machine, to: Machine, ...names: string[]): Promise<void> {
  for (const name of names)
    await run('cp', `/proc/${from.leader}/root/root/${name}`, `/proc/${to.leader}/root/root/${name}`);
}

async function refused(machine: Machine, line: string): Promise<string> {
  const { status, stdout, stderr } = await machine.attempt(['bash', '-c', `cd /root; ${line}`]);
  if (status === 0) throw new Error(`${line} went through: ${stdout}${stderr}`);
  return stdout + stderr;
}

const QUICK = '[Timer]\nAccuracySec=100ms\nOnCalendar=\nOnCalendar=*:*:0/2\nRandomizedDelaySec=0\n';

async function bareMachine(t: ExecutionContext): Promise<Machine> {
  const machine = await bootMachine(t, { filters: true });
  t.timeout(240_000, 'a machine that hangs');
  await machine.run(['sh', '-euc', STRIP]);
  await machine.run(['sh', '-c', `echo ${ADDRESSES[0]} ${NAME} >>/etc/hosts`]);
  for (const name of ['collect', 'submit'])
    await machine.write(`/etc/systemd/system/penguindome-${name}.timer.d/50-test.conf`, QUICK);
  await machine.run(['sh', '-euc', NO_AGENT]);
  await machine.write('/etc/penguindome/agent.d/90-test.yml', 'collect_interval: 2s\nsubmit_interval: 2s\n');
  return machine;
}

async function reportsAfter(site: Site, machine: Machine, host: string, moment: number): Promise<void> {
  await machine.until('a report', async () => {
    const shown = await site.dome('hosts', 'show', host, '--json').catch(() => '');
    const at = /"submitted_at": "([^"]+)"/.exec(shown)?.[1];
    return at !== undefined && Date.parse(at) > moment ? true : undefined;
  });
}

onMachine(
  'where there is neither apt nor pacman, a signed tar installs the agent, which enrols and reports by its timers',
  async (t) => {
    const payload = await makePayload(t);
    const [{ server, site }, laptop] = await Promise.all([serverWithParts(t, payload), bareMachine(t)]);
    await connect(server, laptop);
    await server.run(['systemctl', 'start', UNIT]);
    const made = await type(server, await commandsOf(PAGE, 'The bootstrap tar'));
    const tar = /^(penguindome-agent-\S+\.tar\.gz):/m.exec(made)?.[1] ?? '';
    await carry(server, laptop, tar, `${tar}.asc`, `${tar}.key`);
    const lines = await commandsOf(PAGE, 'Any other distribution');
    t.regex(await type(laptop, lines), /The PenguinDome agent 0\.1\.0 is installed/);

    const host = (await laptop.run(['uname', '-n'])).trim();
    await reportsAfter(site, laptop, host, 0);
    t.is((await laptop.run(['systemctl', '--failed', '--plain', '--no-legend'])).trim(), '');
    t.not((await laptop.attempt(['test', '-e', '/etc/penguindome/enrollment-token'])).status, 0, 'the token is gone');
    t.regex(await laptop.run(['penguindome-agent', 'status']), /All is well/);
    t.is((await laptop.run(['stat', '-c', '%U %a', '/var/lib/penguindome/submit'])).trim(), 'penguindome 700');
    t.is(
      (await laptop.run(['find', '/usr', '-name', '*penguindome-new', '-o', '-name', '.penguindome-stage'])).trim(),
      '',
    );

    await keepsTheOld(t, { server, site, laptop, host });
  },
);

interface Place {
  server: Machine;
  site: Site;
  laptop: Machine;
  host: string;
}

/** What cannot be finished leaves the old version as it was, and running. */
async function keepsTheOld(t: ExecutionContext, { server, site, laptop, host }: Place): Promise<void> {
  await server.run(['sh', '-euc', NEWER, 'sh', `${SHOWN}/bootstrap`, '/root/newer']);
  await type(server, [
    'penguindome release --bootstrap --parts newer --output newer.tar.gz',
    'penguindome release --bootstrap --parts newer --no-runtime --output without.tar.gz',
  ]);
  await carry(server, laptop, 'newer.tar.gz', 'without.tar.gz');
  await type(laptop, ['tar -xzf without.tar.gz', 'tar -xzf newer.tar.gz']);
  const version = async () => (await laptop.run(['cat', `${OWN}/version`])).trim();
  t.regex(
    await refused(laptop, 'penguindome-agent-99.0.0-any/install.sh'),
    /there is no Node on this machine, and none in this tar/,
  );
  // A full disk, where only the last files go.
  await type(laptop, [
    'mount -t tmpfs -o size=4k tmpfs /usr/share/zsh/site-functions',
    'head -c 4096 /dev/zero >/usr/share/zsh/site-functions/x',
  ]);
  t.regex(
    await refused(laptop, 'penguindome-agent-99.0.0-x86_64/install.sh'),
    /The version that was here stays as it was/,
  );
  await type(laptop, ['umount /usr/share/zsh/site-functions']);
  t.is(await version(), '0.1.0');
  t.is(
    (await laptop.run(['find', '/usr', '-name', '*penguindome-new', '-o', '-name', '.penguindome-stage'])).trim(),
    '',
  );
  await reportsAfter(site, laptop, host, Date.now());
}

/** A newer version beside the parts of this one: a file less, and another one more. */
const NEWER = `
  from=$1 to=$2
  mkdir -p "$to/tree"
  sed 's/^version=.*/version=99.0.0/' "$from/install.sh" >"$to/install.sh"
  tar -xf "$from/agent.tar" -C "$to/tree"
  rm "$to/tree/usr/share/doc/penguindome-agent/privacy.md"
  echo new >"$to/tree/usr/share/doc/penguindome-agent/only-in-the-newer"
  tar --format=ustar --owner=root:0 --group=root:0 -cf "$to/agent.tar" -C "$to/tree" usr
`;
