import type { ExecutionContext } from 'ava';
import { canonicalJson } from '../../src/wire/v2/digest.ts';
import { enrollAgent } from './support/agent.ts';
import { bootMachine, type Machine } from './support/machine.ts';
import { onMachine } from './support/needs.ts';
import { DIR, type Site, setUpSite, UNIT } from './support/site.ts';

/** Where the agent is installed here: a copy, so that an order may replace it. */
const INSTALLED = '/usr/lib/penguindome-test';
const AGENT = `${INSTALLED}/penguindome-agent`;
const INSTALL = `rm -rf ${INSTALLED}; mkdir ${INSTALLED}; cd /opt/penguindome/build
cp -p penguindome-agent* penguindome-plugin-tool package.json ${INSTALLED}
${AGENT} --make-code-cache`;
const STATE = '/var/lib/penguindome';

/** What timers call, in a sandbox that orders must not be bound by; nothing in it may be written but the agent's own. */
const RUN = 'penguindome-test-run';
const SERVICE = `[Service]
Type=oneshot
ExecStart=${AGENT} run
ProtectSystem=strict
ReadWritePaths=${STATE} /etc/penguindome
PrivateTmp=yes
`;
const TIMER = `[Timer]
OnActiveSec=1s
OnUnitInactiveSec=1s
AccuracySec=100ms
`;

interface Target {
  hostname: string;
  state: string;
  report?: { reason?: string; exit_status?: number; stdout?: { text?: string }; stderr?: { text?: string } };
}

/** A machine with a server and its agent, which a timer runs once it is started. */
interface Scene {
  machine: Machine;
  site: Site;
  hostname: string;
  sh(script: string): Promise<string>;
  /** @returns the id of an order that this host may fetch from now on */
  order(...args: string[]): Promise<string>;
  target(order: string, hostname?: string): Promise<Target | undefined>;
  /** @returns what became of it */
  settled(order: string, hostname?: string): Promise<Target>;
}

async function setScene(t: ExecutionContext): Promise<Scene> {
  const machine = await bootMachine(t);
  const site = await setUpSite(machine);
  await machine.run(['systemctl', 'start', UNIT]);
  const sh = (script: string) => machine.run(['sh', '-ec', script]);
  await sh(INSTALL);
  const { hostname } = await enrollAgent(machine, site);
  await machine.write(
    '/etc/penguindome/agent.d/50-test.yml',
    'submit_interval: 1s\ncollectors:\n  disabled: [os_updates]\n',
  );
  await machine.write(`/etc/systemd/system/${RUN}.service`, SERVICE);
  await machine.write(`/etc/systemd/system/${RUN}.timer`, TIMER);
  await machine.run(['systemctl', 'daemon-reload']);
  await machine.run(['systemctl', 'start', `${RUN}.service`]);
  const target = async (order: string, host = hostname) => {
    const shown: { targets: Target[] } = Object(await site.domeJson('orders', 'show', order));
    return shown.targets.find((one) => one.hostname === host);
  };
  return {
    machine,
    site,
    hostname,
    sh,
    target,
    order: async (...args) => String(Object(await site.domeJson(...args, '--host', hostname)).order),
    settled: (order, host) =>
      machine.until(`the end of ${order}`, async () => {
        const found = await target(order, host);
        return found !== undefined && ['done', 'failed', 'refused'].includes(found.state) ? found : undefined;
      }),
  };
}

/** As docs/protocol.md tells it, with the GnuPG of Debian 13: 2.4; that of the machine that runs the tests has other tests. */
async function verifyByGpg(machine: Machine, order: { manifest: object; signatures: string[] }): Promise<void> {
  await machine.write('/root/manifest', canonicalJson(order.manifest));
  await machine.write('/root/manifest.asc', order.signatures[0] ?? '');
  await machine.run([
    'sh',
    '-ec',
    `cd /root; export GNUPGHOME=$(mktemp -d)
    gpg --version | grep -q '^gpg (GnuPG) 2\\.4\\.'
    gpg --batch --no-autostart --quiet --import ${DIR}/keys/order-public.asc
    gpg --batch --no-autostart --verify manifest.asc manifest
    printf x >>manifest
    if gpg --batch --no-autostart --verify manifest.asc manifest; then exit 1; fi`,
  ]);
}

onMachine(
  'orders on a machine with systemd: each command in a unit of its own, which may replace the agent; late, early and altered ones',
  async (t) => {
    const { machine, site, sh, order, target, settled } = await setScene(t);

    // While nothing runs the agent: one that expires, one that is for later, one that waits for the host.
    const expired = await order('command', 'touch /root/expired', '--expires', '1s');
    const early = await order('command', 'date +%s', '--not-before', '8s');
    const waiting = await order('command', 'cat /proc/self/cgroup; touch /usr/was-here; echo err >&2; exit 3');
    await sh('sleep 1.5');
    t.is((await target(waiting))?.state, 'queued');
    const { not_before: due } = Object(await site.domeJson('orders', 'show', early));
    await machine.run(['systemctl', 'start', `${RUN}.timer`]);

    const { state, report } = await settled(waiting);
    t.is(state, 'failed');
    t.like(report, { exit_status: 3, reason: 'exit status 3', stderr: { text: 'err\n' } });
    t.regex(report?.stdout?.text ?? '', new RegExp(`/penguindome-order-${waiting}\\.service\n$`));
    await sh('test -e /usr/was-here');
    t.is(await sh(`ls ${STATE}/orders/${waiting}/commands`), 'shell\n');

    await verifyByGpg(machine, Object(await site.domeJson('orders', 'show', waiting)));

    const ran = await settled(early);
    t.is(ran.state, 'done');
    t.true(Number(ran.report?.stdout?.text) >= Math.floor(Date.parse(due) / 1000), 'it waited for its time');
    t.not((await target(expired))?.state, 'done');
    await sh('test ! -e /root/expired');

    // The agent is taken away under its own order, with the units that run it.
    const replace = `${INSTALL}; systemctl daemon-reload; systemctl stop ${RUN}.timer ${RUN}.service; systemctl start ${RUN}.timer; echo replaced`;
    const replaced = await settled(await order('command', replace));
    t.like(replaced, { state: 'done', report: { exit_status: 0, stdout: { text: 'replaced\n' } } });

    await machine.run(['systemctl', 'stop', `${RUN}.timer`, `${RUN}.service`]);
    await measure(t, { sh, order });

    // What lies in the inbox is changed before root looks at it.
    const altered = await order('command', 'touch /root/altered-1');
    await machine.run([AGENT, 'submit']);
    await sh(
      `sed -i 's/"timeout":3600/"timeout":3601/;s/timeout\\\\":3600/timeout\\\\":3601/' ${STATE}/inbox/${altered}.json`,
    );
    await sh(`grep -q 3601 ${STATE}/inbox/${altered}.json`);
    await machine.attempt([AGENT, 'apply']);
    await machine.run([AGENT, 'submit']);
    t.is((await settled(altered)).state, 'refused');
    await sh('test ! -e /root/altered-1');

    const { runs } = Object(JSON.parse((await machine.attempt([AGENT, '--json', 'status'])).stdout));
    t.log(`orders run: ${runs}`);
  },
);

/** From the moment at which the timer fires until the server has the result on disk, of a command that takes no time. */
async function measure(t: ExecutionContext, { sh, order }: Pick<Scene, 'sh' | 'order'>): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < 3; round++) {
    const id = await order('command', 'true');
    await sh('sleep 1');
    const said = await sh(`
      date +%s.%N
      systemctl start ${RUN}.service
      for i in $(seq 3000); do
        grep -qs '"state":"done"' ${STATE}/results/${id}.json && [ ${STATE}/inbox/told.json -nt ${STATE}/results/${id}.json ] && break
        sleep 0.01
      done
      stat -c %.9Y ${STATE}/inbox/told.json`);
    const [from = 0, until = 0] = said.trim().split('\n').map(Number);
    times.push(until - from);
  }
  const shown = times.map((time) => `${(time * 1000).toFixed(0)} ms`).join(', ');
  t.log(`from the timer to the result on the server: ${shown}`);
}

onMachine('orders on a machine without systemd: a process apart, and status says so', async (t) => {
  const { machine, site, sh, settled } = await setScene(t);
  const state = '/srv/other';
  const token = await site.dome('enrollment', 'token', '--approve', '--uses', '1', '--expires', '1h');
  await machine.write(`${state}/etc/agent.d/50-test.yml`, 'hostname: other\nsubmit_interval: 1s\n');
  await machine.write('/root/token', token, '600');
  // As on a machine that something else than systemd started: sd_booted(3) says no, and nobody ends what a command left running.
  const script = `mount -t tmpfs tmpfs /run/systemd; ${AGENT} --state ${state} "$@"; status=$?
    while pgrep -f ' [o]rder-run ' >/dev/null; do sleep 0.1; done; exit $status`;
  const agent = (...args: string[]) => machine.attempt(['unshare', '--mount', 'sh', '-c', script, 'sh', ...args]);
  t.is((await agent('enroll', '--token-file', '/root/token')).status, 0);
  const made = Object(await site.domeJson('command', 'cat /proc/self/cgroup; ps -o sid= -p $PPID', '--host', 'other'));
  for (let round = 0; round < 3; round++) await agent('run', '--now');
  const { state: became, report } = await settled(String(made.order), 'other');
  t.is(became, 'done');
  t.notRegex(report?.stdout?.text ?? '', /penguindome-order/);
  const { stdout } = await agent('status');
  t.regex(stdout, /processes of the agent \(systemd does not run them here\)/);
  await sh(`test ! -e ${state}/orders/${made.order}/commands`);
});
