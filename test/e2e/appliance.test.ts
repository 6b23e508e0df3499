import { mkdir, readdir, stat, truncate, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { openStore } from '../../src/store/open.ts';
import { decodeToken } from '../../src/wire/v2/token.ts';
import { startFleet } from '../faults/support/fleet.ts';
import { watchFleet } from '../faults/support/oracle.ts';
import { seeded } from '../faults/support/seed.ts';
import { scratchFolder } from '../support/scratch.ts';
import { rounds } from '../support/soak.ts';
import { realClock, realRandom } from '../support/world.ts';
import { type Appliance, makeAppliance, npmRunAppliance } from './support/appliance.ts';
import { finish } from './support/finish.ts';
import { onAppliance } from './support/needs.ts';
import { run } from './support/packages.ts';

test('what it cannot build it names, and builds nothing', async (t) => {
  const { status, stderr } = await finish(process.execPath, ['appliance/build.mjs', 'imgae']);
  t.is(status, 2);
  t.regex(stderr, /cannot build imgae[\s\S]*--only-raw/);
});

const HOSTS = 4;

/** What qemu's network gives by DHCP, too. */
const ADDRESS = '10.0.2.15/24';

onAppliance(
  'an image starts from its own disk and is what a file says; what it acknowledged outlives a power cut in the middle of reports',
  async (t) => {
    const appliance = await makeAppliance(t);
    await appliance.start({ files: { 'penguindome.yml': settingsFor(appliance) } });
    const before = await saysWhatItIs(t, appliance);
    await takesOneFromOutside(t, appliance);

    const token = await tokenOf(appliance, HOSTS);
    const answerKey = { publicKey: token.answer_key };
    const site = { url: token.url, ca: token.ca ?? '', answerKey };
    const fleet = await startFleet(t, site, token.secret, seeded(t), { v2: HOSTS, v1: 0, patience: 500 });
    const oracle = watchFleet(fleet);
    await fleet.progress(30);
    await appliance.cutPower();
    t.log(`${fleet.acknowledgements()} reports were acknowledged when the power went`);
    t.true(
      fleet.hosts.some(({ ledger }) => ledger.waiting.length > 0),
      'the power went in the middle of reports',
    );

    await appliance.start();
    await fleet.progress(HOSTS);
    await fleet.drain();
    t.deepEqual(await identity(appliance), before, 'a second boot makes nothing anew');
    const [first] = (await appliance.run('systemctl show -P ConditionResult penguindome-first-boot')).split('\n');
    t.is(first, 'no');
    const store = await openStore(await fetchStore(t, appliance), { clock: realClock, random: realRandom });
    t.teardown(() => store.close());
    await oracle.settle(t, store);
  },
);

/** Minutes each, most of them under emulation. */
if (rounds(0, 1) > 0) {
  onAppliance(
    'the same packages give the same bytes, whatever folder, umask and environment they are built in',
    async (t) => {
      const [one, other] = [await scratchFolder(t), join(await scratchFolder(t), 'other')];
      await npmRunAppliance(t, one, '--only-raw');
      const mask = process.umask(0o077);
      process.env['PYTHONDONTWRITEBYTECODE'] = process.env['PYTHONDONTWRITEBYTECODE'] === '1' ? '' : '1';
      t.teardown(() => process.umask(mask));
      await mkdir(other);
      await npmRunAppliance(t, other, '--only-raw');
      const names = (await readdir(one)).sort();
      t.deepEqual(
        names.map((name) => name.replace(/-\d.*\d/, '')),
        ['penguindome-appliance.raw', 'penguindome-container', 'sources'],
      );
      await run('diff', '-r', '-q', one, other);
    },
  );

  onAppliance("by UEFI, cloud-init's NoCloud says what it is, with a fixed address", async (t) => {
    const appliance = await makeAppliance(t);
    const files = {
      'user-data': `#cloud-config\nssh_authorized_keys: ["${appliance.key}"]\n`,
      'meta-data': 'instance-id: one\nlocal-hostname: dome.example.org\n',
      'network-config': `version: 2\nethernets: { any: { addresses: [${ADDRESS}], nameservers: { addresses: [10.0.2.3] } } }\n`,
    };
    await appliance.start({ firmware: 'uefi', label: 'cidata', files });
    t.regex(
      await appliance.run('hostname; ip -4 -brief address; cat /run/systemd/network/*; ls -d /sys/firmware/efi'),
      /^dome\.example\.org\n[\s\S]*10\.0\.2\.15\/24[\s\S]*DHCP=no[\s\S]*\/sys\/firmware\/efi\n$/,
    );
  });

  onAppliance('a machine whose server does not start at first has the same id at the next start', async (t) => {
    const appliance = await makeAppliance(t);
    await appliance.start({ files: { 'penguindome.yml': settingsFor(appliance) } });
    await isUp(appliance);
    const said = await appliance.run(`
      . /usr/lib/penguindome-appliance/boot-environment.sh
      remember machine_id=
      systemctl stop penguindome-server
      systemctl restart penguindome-appliance-good
      remembered machine_id
      cat /etc/machine-id
    `);
    const [remembered, own] = said.split('\n');
    t.is(remembered, own);
  });

  onAppliance('where no disk says how, it asks on the serial line, and again for what cannot be used', async (t) => {
    const appliance = await makeAppliance(t);
    const socket = join(appliance.folder, 'serial');
    const started = appliance.start({ serial: `unix:${socket},server=on,wait=off` });
    started.catch(() => undefined);
    const serial = await talkOver(t, socket);
    await serial.until('Host name by which');
    serial.type('not a name');
    await serial.until('expected a host name');
    serial.type('dome.example.org');
    await serial.until('Addresses');
    serial.type('');
    await serial.until('ssh public key');
    serial.type(appliance.key);
    await serial.until('Fingerprint of its CA');
    await started;
    t.is((await appliance.run('hostname')).trim(), 'dome.example.org');
    t.regex(await appliance.run('cat /etc/issue'), /https:\/\/dome\.example\.org:8443/);
  });

  onAppliance(
    'a new system takes over, with the data kept; one that does not come up well gives way to the one before',
    async (t) => {
      const appliance = await makeAppliance(t);
      await appliance.start({ files: { 'penguindome.yml': settingsFor(appliance) } });
      await isUp(appliance);
      const before = await identity(appliance);
      await takesOneFromOutside(t, appliance);
      const better = await otherSystem(
        appliance,
        'better',
        'cd /usr/lib/penguindome-appliance\nrm version\nwrite VERSION version',
      );
      const worse = await otherSystem(appliance, 'worse', 'rm /usr/lib/penguindome/server/penguindome-server');

      await appliance.restart();
      const published = await asPublished(better);
      await appliance.start({ disks: { better: published.disk } });
      await appliance.run(`
        head -c ${published.bytes} /dev/disk/by-id/virtio-better >/data/new.system.zst
        head -c ${published.bytes >> 1} /data/new.system.zst >/data/cut.system.zst
      `);
      const refused = (file: string) => appliance.run(`! penguindome-appliance upgrade ${file} 2>&1`, 600);
      t.regex(await refused(`/data/new.system.zst ${'0'.repeat(64)}`), /its SHA-256 is not 0000/);
      t.regex(await refused('/data/cut.system.zst'), /it is cut off or damaged/);
      t.regex(await appliance.run('penguindome-appliance status'), /next start: a\n/);
      await appliance.run(`penguindome-appliance upgrade /data/new.system.zst ${published.sha256}`, 600);
      await appliance.restart();
      await appliance.start({ disks: { worse } });
      await isUp(appliance);
      t.regex(await appliance.run('penguindome-appliance status'), /running: b \(better\)\nnext start: b\n/);
      t.deepEqual(await identity(appliance), before);
      t.regex(await appliance.run(`penguindome --json hosts show '${hostname()}'`), /"submitted_at": "/);

      await appliance.run('penguindome-appliance upgrade /dev/disk/by-id/virtio-worse', 600);
      t.regex(await appliance.run('penguindome-appliance status'), /next start: a\n/);
      await appliance.restart();
      const tried = appliance.powerOn();
      for (let tries = 0; tries < 2000 && tried.running; tries++) await sleep(200);
      t.false(tried.running, 'it restarts by itself');
      await appliance.start();
      t.regex(await appliance.run('penguindome-appliance status'), /running: b \(better\)\nnext start: b\n/);
      t.deepEqual(await identity(appliance), before);
    },
  );
}

function settingsFor({ key, port }: Appliance): string {
  return `host_name: dome.example.org\nssh_keys: ["${key}"]\npublic_url: https://127.0.0.1:${port}\n`;
}

/** Whatever of it runs: ssh answers before the server does. */
async function isUp(appliance: Appliance): Promise<void> {
  await appliance.run('systemctl is-system-running --wait >/dev/null || true', 300);
}

/** What must not change from one start to the next. */
async function identity(appliance: Appliance): Promise<string[]> {
  const said = await appliance.run(`
    sha256sum /etc/penguindome/pki/ca.crt /etc/penguindome-appliance/ssh/ssh_host_ed25519_key.pub
    cat /etc/machine-id
    hostname
  `);
  return said.trim().split('\n');
}

async function saysWhatItIs(t: ExecutionContext, appliance: Appliance): Promise<string[]> {
  await isUp(appliance);
  const issue = await appliance.run('cat /etc/issue');
  const [, fingerprint = ''] = /Fingerprint of its CA, SHA-256: (\S+)/.exec(issue) ?? [];
  t.regex(issue, new RegExp(`URL of the server: +https://127.0.0.1:${appliance.port}\\n`));
  t.regex(issue, /ssh admin@dome\.example\.org sudo penguindome enrollment token/);
  t.true((await appliance.console()).includes(fingerprint) && fingerprint.length >= 64, 'the console shows it too');
  const wanted = await appliance.run('openssl x509 -noout -fingerprint -sha256 -in /etc/penguindome/pki/ca.crt');
  t.is(
    fingerprint.replaceAll(':', '').toLowerCase(),
    (wanted.split('=')[1] ?? '').trim().replaceAll(':', '').toLowerCase(),
  );

  const said = await appliance.run(`
    systemctl --failed --plain --no-legend
    echo root: $(findmnt -n -o OPTIONS / | cut -d , -f 1)
    echo data: $(($(df --output=size -B 1M /data | tail -1) > 1500))
    echo input: $(nft list chain inet filter input | grep -c 'policy drop')
    echo open: $(nft list chain inet filter input | grep -o 'tcp dport [0-9]*' | cut -d ' ' -f 3 | tr '\\n' ' ')
    sshd -T | grep -E '^(passwordauthentication|kbdinteractiveauthentication|permitrootlogin) ' | sort
    systemctl is-active systemd-timesyncd apt-daily-upgrade.timer getty@tty1 serial-getty@ttyS0
    if touch /etc/x 2>/dev/null; then echo written; fi
  `);
  t.deepEqual(said.trim().split('\n'), [
    'root: ro',
    'data: 1',
    'input: 1',
    'open: 22 8443',
    'kbdinteractiveauthentication no',
    'passwordauthentication no',
    'permitrootlogin no',
    ...['active', 'active', 'active', 'active'],
  ]);
  return identity(appliance);
}

async function tokenOf(appliance: Appliance, uses: number) {
  const text = await appliance.run(`penguindome enrollment token --approve --uses ${uses} --expires 1h 2>/dev/null`);
  const token = decodeToken(text);
  if (token === undefined) throw new Error('the appliance made no token');
  return { ...token, text };
}

/** The real agent, on this machine, through the forwarded port. */
async function takesOneFromOutside(t: ExecutionContext, appliance: Appliance): Promise<void> {
  const state = await scratchFolder(t);
  const { text } = await tokenOf(appliance, 1);
  for (const [command, input] of [
    ['enroll', text],
    ['collect', ''],
    ['submit', ''],
  ] as const) {
    const args = ['build/penguindome-agent', '--state', state, command];
    const { status, stdout, stderr } = await finish(process.execPath, args, { input });
    t.is(status, 0, `${command}: ${stdout}${stderr}`);
  }
  t.regex(await appliance.run(`penguindome --json hosts show '${hostname()}'`), /"submitted_at": "/);
}

/** The file itself, once nothing writes to it any more. */
async function fetchStore(t: ExecutionContext, appliance: Appliance) {
  const folder = await scratchFolder(t);
  const packed = await appliance.run(
    'systemctl stop penguindome-server; tar -cz -C /var/lib/penguindome-server . | base64 -w 0',
  );
  await writeFile(join(folder, 'store.tar.gz'), Buffer.from(packed, 'base64'));
  await mkdir(join(folder, 'state'));
  const { status, stderr } = await finish('tar', ['-xzf', join(folder, 'store.tar.gz'), '-C', join(folder, 'state')]);
  t.is(status, 0, stderr);
  return { kind: 'embedded', file: join(folder, 'state/store/penguindome.db') } as const;
}

/** The system of the image with something changed. @param commands of debugfs */
async function otherSystem(appliance: Appliance, name: string, commands: string): Promise<string> {
  const { start, size } = await systemPartition(appliance.image);
  const file = join(appliance.folder, `${name}.ext4`);
  await run(
    'dd',
    `if=${appliance.image}`,
    `of=${file}`,
    'bs=1M',
    `skip=${start}`,
    `count=${size}`,
    'conv=sparse',
    'status=none',
  );
  await writeFile(join(appliance.folder, 'VERSION'), `${name}\n`);
  const script = join(appliance.folder, 'commands');
  await writeFile(script, `${commands.replace('VERSION', join(appliance.folder, 'VERSION'))}\n`);
  await run('debugfs', '-w', '-f', script, file);
  return file;
}

/** As `npm run appliance` packs a system, on a disk: padded to whole sectors. */
async function asPublished(system: string): Promise<{ disk: string; bytes: number; sha256: string }> {
  const disk = `${system}.zst`;
  await run('zstd', '-q', '-f', '-T0', system, '-o', disk);
  const { size: bytes } = await stat(disk);
  const sha256 = (await run('sha256sum', disk)).slice(0, 64);
  await truncate(disk, Math.ceil(bytes / 512) * 512);
  return { disk, bytes, sha256 };
}

/** In mebibytes. */
async function systemPartition(image: string): Promise<{ start: number; size: number }> {
  const table = await run('sfdisk', '--dump', image);
  const [, start, size] = /start= *(\d+), size= *(\d+),.*name="system-a"/.exec(table) ?? [];
  return { start: Number(start) / 2048, size: Number(size) / 2048 };
}

/** The serial line, as one who sits at it. */
async function talkOver(t: ExecutionContext, path: string) {
  let said = '';
  let line: Socket | undefined;
  for (let tries = 0; line === undefined; tries++) {
    line = await new Promise((resolve) => {
      const socket = connect(path, () => resolve(socket)).on('error', () => resolve(undefined));
    });
    if (tries > 100) throw new Error('cannot reach the serial line');
    await sleep(200);
  }
  line.on('data', (chunk) => {
    said += chunk.toString();
  });
  t.teardown(() => line?.destroy());
  return {
    type: (text: string) => line?.write(`${text}\r`),
    /** Until it has shown that, after all that was waited for before. */
    async until(text: string) {
      for (let tries = 0; tries < 3000 && !said.includes(text); tries++) await sleep(200);
      if (!said.includes(text)) throw new Error(`the console never showed ${text}:\n${said.slice(-2000)}`);
      said = said.slice(said.indexOf(text) + text.length);
    },
  };
}
