import type { ExecutionContext } from 'ava';
import { bootMachine, type Machine } from './support/machine.ts';
import { onMachine } from './support/needs.ts';
import { insteadOf, startRealUnits, UNITS } from './support/real-units.ts';
import { type Site, setUpSite, UNIT } from './support/site.ts';

interface Target {
  hostname: string;
  state: string;
  report?: { reason?: string; exit_status?: number; stdout?: { text?: string }; steps?: string[] };
}

/** A machine on which the agent's own units run. */
interface Scene {
  t: ExecutionContext;
  machine: Machine;
  site: Site;
  hostname: string;
  sh(script: string): Promise<string>;
  /** @returns the id of an order for this host */
  order(...args: string[]): Promise<string>;
  settled(order: string): Promise<Target>;
}

const TIMERS = ['apply', 'collect', 'submit'].map((name) => `penguindome-${name}.timer`);
/** Of the submitter's timer, once. */
const SUBMIT = 'systemctl start penguindome-submit.service';

onMachine(
  "orders go their way through the agent's own units: each does its part in its sandbox, and no more",
  async (t) => {
    const machine = await bootMachine(t, { binds: UNITS, filters: true });
    t.timeout(240_000, 'a machine that hangs');
    const site = await setUpSite(machine);
    await machine.run(['systemctl', 'start', UNIT]);
    await startRealUnits(machine, site);
    const sh = async (script: string) => (await machine.run(['sh', '-euc', script])).trim();
    const hostname = await sh('uname -n');
    const target = async (order: string) => {
      const shown: { targets: Target[] } = Object(await site.domeJson('orders', 'show', order));
      return shown.targets.find((one) => one.hostname === hostname);
    };
    const scene: Scene = {
      ...{ t, machine, site, hostname, sh },
      order: async (...args) => String(Object(await site.domeJson(...args)).order),
      settled: (order) =>
        machine.until(`the end of ${order}`, async () => {
          const found = await target(order);
          return found !== undefined && ['done', 'failed', 'refused'].includes(found.state) ? found : undefined;
        }),
    };
    await byItself(scene);
    await withoutTimers(scene);
    await changesTheSite(scene);
    await locks(scene);
    t.is(await sh('systemctl list-units --failed --plain --no-legend "penguindome*"'), '');
    await doesNoMore(scene);
    t.notRegex(await site.dome('issues', 'list', '--json'), /receipts-broken|order-refused/);
  },
);

/** Timers and paths are all that it takes, also where an order stops and starts them. */
async function byItself({ t, site, hostname }: Scene): Promise<void> {
  const ordered = async (shell: string) => site.dome('command', shell, '--host', hostname, '--wait-for', '50s');
  t.regex(
    await ordered('id -un; grep -o "penguindome-order.*" /proc/self/cgroup'),
    /root\n.*penguindome-order-\S+\.service/,
  );
  t.regex(await ordered('systemctl restart penguindome-agent.target; echo restarted'), /restarted/);
  // What the applier, which had it started, may not.
  const free = await ordered('touch /etc/by-an-order && ls -d /home/ && bash -c "exec 3<>/dev/tcp/127.0.0.1/8443"');
  t.regex(free, /\/home\//);
}

/** What was fetched is applied, and what became of it is told, at once: no timer runs. */
async function withoutTimers({ t, sh, order, settled }: Scene): Promise<void> {
  await sh(`systemctl stop ${TIMERS.join(' ')}`);
  const times: string[] = [];
  for (const [shell, state] of [
    ['true', 'done'],
    ['sleep 1; exit 3', 'failed'],
    ['true', 'done'],
  ] as const) {
    const id = await order('command', shell, '--host', await sh('uname -n'));
    const began = Date.now();
    await sh(`sleep 1; ${SUBMIT}`);
    t.is((await settled(id)).state, state);
    times.push(`${((Date.now() - began) / 1000).toFixed(1)} s`);
  }
  t.log(`from a check-in (a second after the order) to the result, without timers: ${times.join(', ')}`);
}

async function changesTheSite({ t, machine, sh, order, settled, hostname }: Scene): Promise<void> {
  const runs = () => sh('systemctl show --value -p ExecMainStartTimestampMonotonic penguindome-collect.service');
  const before = await runs();
  await machine.write('/root/raid', '#!/bin/sh\necho "{}"\n', '755');
  const id = await order('patch', '/root/raid=plugins/raid', '--host', hostname);
  await sh(`sleep 1; ${SUBMIT}`);
  const { state, report } = await settled(id);
  t.is(state, 'done', JSON.stringify(report));
  await machine.until('a collection with the new plugin', async () => {
    const collected = /"plugins\.raid"/.test(await sh('cat /var/lib/penguindome/spool/collector.json'));
    return collected && (await runs()) !== before ? true : undefined;
  });
}

async function locks({ t, sh, order, settled, hostname }: Scene): Promise<void> {
  await sh('useradd --create-home --shell /bin/bash alice; echo alice:secret | chpasswd');
  const before = await sh('grep -E "^(alice|root):" /etc/shadow');
  const wiped = await order('wipe', hostname, '--method', 'lock', '--confirm', hostname, '--why', 'a test');
  await sh(`sleep 1; ${SUBMIT}`);
  const { state, report } = await settled(wiped);
  t.is(state, 'done', JSON.stringify(report));
  t.true(report?.steps?.includes('the account alice has expired'), JSON.stringify(report));
  t.regex(await sh('grep ^alice: /etc/shadow'), /^alice:!/);
  const undone = await order('unlock', hostname);
  await sh(`sleep 1; ${SUBMIT}`);
  t.is((await settled(undone)).state, 'done');
  t.is(await sh('grep -E "^(alice|root):" /etc/shadow'), before);

  const said = await sh('setpriv --reuid nobody --clear-groups penguindome-agent --json receipts --number 100');
  const receipts: { order: string; event: string; kind: string; why: string }[] = JSON.parse(said);
  const of = (id: string) => receipts.filter((one) => one.order === id).map(({ kind, event }) => `${kind}: ${event}`);
  t.deepEqual(of(wiped), ['wipe: accepted', 'wipe: started', 'wipe: done']);
  t.deepEqual(of(undone), ['unlock: accepted', 'unlock: started', 'unlock: done']);
}

/** What each unit must not be able to do, whoever it is that runs in its place. */
async function doesNoMore({ t, machine, sh }: Scene): Promise<void> {
  await sh('systemctl stop penguindome-agent.target');
  const apply = 'penguindome-apply.service';
  const submit = 'penguindome-submit.service';
  const state = '/var/lib/penguindome';
  const connect = 'exec 3<>/dev/tcp/127.0.0.1/8443';
  const allowed: [unit: string, command: string][] = [
    [apply, `touch ${state}/orders/x ${state}/site/x && chgrp penguindome ${state}/orders/x`],
    [apply, `cat ${state}/inbox/told.json && rm ${state}/inbox/told.json`],
    [apply, 'systemctl show -p Version'],
    [submit, `cat ${state}/results/known.json`],
    [submit, connect],
  ];
  for (const [unit, command] of allowed) t.is(await insteadOf(machine, unit, command), '0', `${unit}: ${command}`);
  const refused: [unit: string, command: string][] = [
    [apply, 'touch /etc/x'],
    [apply, 'touch /etc/penguindome/trust.d/x'],
    [apply, 'touch /usr/x'],
    [apply, 'touch /root/x'],
    [apply, 'ls /home/alice'],
    [apply, connect],
    [apply, 'setpriv --reuid alice true'],
    [apply, 'unshare --user true'],
    [submit, `touch ${state}/results/x`],
    [submit, `touch ${state}/orders/x`],
    [submit, `touch ${state}/site/plugins/x`],
    [submit, `touch ${state}/receipts.jsonl`],
    [submit, `ls ${state}/orders`],
  ];
  for (const [unit, command] of refused) t.not(await insteadOf(machine, unit, command), '0', `${unit}: ${command}`);
}
