import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { TOOLS } from './support/disk-layouts.ts';
import { onVirtualMachine } from './support/needs.ts';
import { AGENT, moveOntoSealedRoot, startVirtualMachine, type VirtualMachine } from './support/vm.ts';
import { readTold, wipeDriver } from './support/wipe-driver.ts';

const DRIVER = '/run/wipe-driver.js';

/** One machine, in which the last test erases the disk that the system runs from. */
let started: Promise<VirtualMachine> | undefined;
test.after.always('the machine is stopped', async () => {
  await (await started?.catch(() => undefined))?.stop();
});

function machineFor(t: ExecutionContext): Promise<VirtualMachine> {
  t.timeout(15 * 60_000, 'a virtual machine that hangs');
  started ??= startVirtualMachine((line) => t.log(line));
  return started;
}

/** `/home` is a subvolume with snapshots of every kind: read-only, writable, of a snapshot, and one that alice made herself, in her home. */
const SNAPSHOTS = `
  ${TOOLS}
  mkfs.btrfs -q -f $B; mkdir -p /mnt/top; mount $B /mnt/top
  btrfs -q subvolume create /mnt/top/@home; btrfs -q subvolume create /mnt/top/other
  mkdir /mnt/top/@home/alice /mnt/top/@home/shared
  echo secret >/mnt/top/@home/alice/f; echo shared >/mnt/top/@home/shared/f; echo other >/mnt/top/other/f
  btrfs -q subvolume create /mnt/top/@home/alice/nested; echo secret >/mnt/top/@home/alice/nested/f
  chown -R alice: /mnt/top/@home/alice
  mkdir /mnt/top/snapshots
  btrfs -q subvolume snapshot -r /mnt/top/@home /mnt/top/snapshots/1
  btrfs -q subvolume snapshot /mnt/top/@home '/mnt/top/snapshots/two words'
  btrfs -q subvolume snapshot -r /mnt/top/snapshots/1 /mnt/top/snapshots/again
  btrfs -q subvolume snapshot -r /mnt/top/@home/alice/nested /mnt/top/@home/alice/hers
  umount /mnt/top
  mount -o subvol=@home $B /home
`;

onVirtualMachine(
  'a wipe of homes reaches snapshots and subvolumes of a btrfs, and what else is in them stays',
  async (t) => {
    const machine = await machineFor(t);
    await machine.run(`cat >${DRIVER} <<'END'\n${await wipeDriver()}\nEND\n`);
    await machine.run(SNAPSHOTS);
    const told = readTold(await machine.run(`node ${DRIVER} homes order-1`, 300));
    t.is(told.outcome?.state, 'done', JSON.stringify(told.outcome, null, 1));
    t.log(told.outcome?.steps.join('\n'));
    const left = await machine.run(`
    ${TOOLS}
    umount /home; mount $B /mnt/top; cd /mnt/top
    find . -type f | sort; grep -rl secret . || true
    btrfs property get snapshots/1 ro; btrfs property get snapshots/again ro; btrfs property get 'snapshots/two words' ro
    cd /; umount /mnt/top; wipefs -qaf $B; mkdir -p /home
  `);
    t.deepEqual(left.trim().split('\n'), [
      './@home/shared/f',
      './other/f',
      './snapshots/1/shared/f',
      './snapshots/again/shared/f',
      './snapshots/two words/shared/f',
      'ro=true',
      'ro=true',
      'ro=false',
    ]);
  },
);

/** Beside the system's disk: one that is not open, and a volume with its header in a file. */
const MORE_DISKS = `
  ${TOOLS}
  seal $B
  truncate -s 16M /root/header; seal --header /root/header $C; open --header /root/header $C detached
`;
const OPEN = ['open', '--test-passphrase', '--key-file', '-'];

onVirtualMachine(
  'a crypto-erase leaves no disk that can be opened, tells so before, and powers the machine off',
  async (t) => {
    const machine = await machineFor(t);
    await moveOntoSealedRoot(machine);
    await machine.run(MORE_DISKS);
    await machine.run(`cat >${DRIVER} <<'END'\n${await wipeDriver()}\nEND\n`);
    const plan = JSON.parse(await machine.run(`${AGENT} wipe-plan crypto-erase --json`, 120));
    t.deepEqual(plan.will.slice(1), [
      'erase all key slots of /root/header (LUKS 2; a header in a file; open as detached)',
      'erase all key slots of /dev/vdb (LUKS 2; not open)',
      'erase all key slots of /dev/vdd (LUKS 1; open as system; the running system is on it: last)',
      'power the machine off',
    ]);
    for (const disk of ['one', 'sealed'] as const)
      t.is(await machine.cryptsetup(disk, ...OPEN), 0, `${disk} can be opened`);

    // What is told is written where it can be read while the machine goes off.
    await machine.run(
      `systemd-run --quiet --unit=wipe --property=StandardOutput=file:/run/told node ${DRIVER} crypto-erase order-2`,
    );
    let said = '';
    for (let tries = 0; tries < 300 && !said.includes('"after"'); tries++) {
      await sleep(500);
      said = await machine.run('cat /run/told').catch(() => said);
    }
    const told = readTold(said.replaceAll('"after"', '"outcome"'));
    t.true(told.before.includes('will power the machine off'), said);
    t.is(told.outcome?.state, 'done', said);
    t.log(told.outcome?.steps.join('\n'));
    t.true(told.steps.includes('erased /dev/vdd: no key slot is left, and nothing opens it'));

    t.true(await machine.off(240), 'it is off');
    for (const disk of ['one', 'sealed'] as const) {
      t.is(await machine.cryptsetup(disk, 'isLuks'), 0, `${disk} has a header still`);
      t.not(await machine.cryptsetup(disk, ...OPEN), 0, `${disk} cannot be opened`);
    }
  },
);
